import json

import pytest

pytest.importorskip("onnx")

import onnx
from onnx import TensorProto, helper

from edge.networks import face_detector, keypoint_model
from export.errors import ExportError
from export.metadata import describe_detector, describe_keypoints, write_model

RECORD = {
    "recipe": {"name": "tiny", "epochs": 2},
    "commit": "abc",
    "data_sha256": {"training.csv": "12"},
}
SHA256 = "0123456789abcdef"


def test_both_networks_have_the_metadata_that_edge_requires():
    keypoints = describe_keypoints(RECORD, SHA256, 96, "a licence")
    detector = describe_detector(RECORD, SHA256, "a licence")
    assert set(keypoints) == set(keypoint_model.METADATA_KEYS)
    assert set(detector) == set(face_detector.METADATA_KEYS)
    assert keypoints["input_size"] == "96"
    for metadata in (keypoints, detector):
        assert metadata["model_version"] == "tiny-01234567"
        assert metadata["license"] == "a licence"
        assert json.loads(metadata["training_run"]) == {
            "commit": "abc",
            "recipe": {"epochs": 2, "name": "tiny"},
        }


def test_a_detector_says_the_largest_roll_that_it_has_learnt():
    record = RECORD | {"recipe": {"name": "tiny", "max_roll_deg": 55.0}}
    assert describe_detector(record, SHA256, "a licence")["max_roll_deg"] == "55"


def made(outputs):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], outputs)], "small", [x], [y])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_a_file_has_the_metadata_that_was_given(tmp_path):
    write_model(made(["y"]), {"license": "a licence", "scheme": "é"}, tmp_path / "small.onnx")
    entries = onnx.load(tmp_path / "small.onnx").metadata_props
    assert {entry.key: entry.value for entry in entries} == {"license": "a licence", "scheme": "é"}


def test_a_model_that_is_not_valid_onnx_is_refused(tmp_path):
    with pytest.raises(ExportError, match="is not valid ONNX"):
        write_model(made(["z"]), {}, tmp_path / "small.onnx")
