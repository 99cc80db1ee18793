import pytest

pytest.importorskip("keras")
pytest.importorskip("onnx")

import keras
from onnx import TensorProto, helper

from export.convert import check, load_keras, load_keypoint_model
from export.errors import ExportError, RunFolderError


def test_a_file_that_is_no_keras_model_is_refused_in_one_line(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"junk")
    with pytest.raises(RunFolderError, match="cannot be read as a Keras model") as caught:
        load_keras(path)
    assert len(str(caught.value).splitlines()) == 1


def test_a_model_with_other_outputs_is_not_a_keypoint_model(tmp_path):
    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(path)
    with pytest.raises(RunFolderError, match="expected the outputs keypoints, error, face_score"):
        load_keypoint_model(path)


def test_an_invalid_graph_is_refused():
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Relu", ["missing"], ["y"])], "small", [x], [y])
    with pytest.raises(ExportError, match="not valid ONNX"):
        check(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]))
