import numpy as np
import pytest

from edge.networks.keypoint_model import EMBEDDED, KeypointModel
from edge.networks.precision import int8_file
from train.adapt.onnx_layer import predict_features, write_adapted
from train.errors import RunError


@pytest.fixture
def crops(rng):
    return rng.integers(0, 256, (70, 96, 96)).astype(np.uint8)


@pytest.mark.parametrize("source", [EMBEDDED, int8_file(EMBEDDED)], ids=["fp32", "int8"])
def test_the_correction_is_added_and_nothing_else_changes(source, crops, rng, tmp_path):
    keypoints, features = predict_features(source, crops)
    before = KeypointModel(source)(crops, points68=True)
    np.testing.assert_allclose(keypoints, before.keypoints, atol=1e-3)
    weights = rng.normal(0, 0.01, (features.shape[1], 30)).astype(np.float32)
    bias = np.tile(np.float32([2, -3]), 15)
    target = tmp_path / "adapted.onnx"
    write_adapted(source, target, weights, bias, {"faces": 70})
    model = KeypointModel(target)
    after = model(crops, points68=True)
    expected = keypoints + (features @ weights + bias).reshape(-1, 15, 2)
    np.testing.assert_allclose(after.keypoints, expected, atol=1e-3)
    for name in ("error", "face_score", "points68"):
        np.testing.assert_allclose(getattr(after, name), getattr(before, name), atol=1e-3)
    assert model.metadata["adapted"] == '{"faces": 70}'


def test_a_file_is_adapted_once(tmp_path):
    weights, bias = np.zeros((2304, 30), np.float32), np.zeros(30, np.float32)
    write_adapted(EMBEDDED, tmp_path / "once.onnx", weights, bias, {})
    with pytest.raises(RunError, match="is adapted already"):
        write_adapted(tmp_path / "once.onnx", tmp_path / "twice.onnx", weights, bias, {})


def test_a_network_without_weights_before_the_keypoints_is_an_error(tmp_path, crops):
    import onnx
    from onnx import TensorProto, helper

    node = helper.make_node("Identity", ["face"], ["keypoints"])
    tensors = [
        helper.make_tensor_value_info(n, TensorProto.UINT8, ["N", 96, 96, 1])
        for n in ("face", "keypoints")
    ]
    graph = helper.make_graph([node], "g", tensors[:1], tensors[1:])
    onnx.save(helper.make_model(graph), tmp_path / "x.onnx")
    with pytest.raises(RunError, match="whose last layer has weights"):
        predict_features(tmp_path / "x.onnx", crops)
