import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

import onnxruntime  # noqa: E402

from edge.networks.keypoint_model import EMBEDDED  # noqa: E402
from export.optional_output import make_optional  # noqa: E402

INPUT = np.array([[1.0, -2.0], [3.0, 4.0]], np.float32)


def made():
    """A graph of which `wanted` and `other` share the values of `shared`."""
    tensor, node = onnx.helper.make_tensor_value_info, onnx.helper.make_node
    float32 = onnx.TensorProto.FLOAT
    weights = {
        "two": np.array(2, np.float32),
        "matrix": np.array([[1, 2, 3], [4, 5, 6]], np.float32),
    }
    graph = onnx.helper.make_graph(
        [
            node("Mul", ["image", "two"], ["shared"]),
            node("MatMul", ["shared", "matrix"], ["product"]),
            node("Relu", ["product"], ["wanted"]),
            node("Add", ["shared", "two"], ["other"]),
        ],
        "made",
        [tensor("image", float32, ["N", 2])],
        [tensor("wanted", float32, ["N", 3]), tensor("other", float32, ["N", 2])],
        [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    return onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)


def run(model, **inputs):
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    assert [tensor.name for tensor in session.get_inputs()] == ["image"]
    return session.run(["wanted", "other"], {"image": INPUT, **inputs})


def test_an_output_is_computed_where_its_input_is_true_or_not_given():
    model = made()
    changed = make_optional(model, "wanted")
    expected = run(model)
    np.testing.assert_array_equal(expected[0], [[0, 0, 0], [38, 52, 66]])
    for inputs in ({}, {"with_wanted": np.array(True)}):
        for values, others in zip(run(changed, **inputs), expected, strict=True):
            np.testing.assert_array_equal(values, others)
    wanted, other = run(changed, with_wanted=np.array(False))
    assert wanted.shape == (0, 3)
    np.testing.assert_array_equal(other, expected[1])


def test_only_what_the_output_alone_needs_is_in_the_branch():
    model = make_optional(made(), "wanted")
    assert [node.op_type for node in model.graph.node] == ["Mul", "Add", "If"]
    branches = {a.name: a.g for a in model.graph.node[-1].attribute}
    branch = branches["then_branch"]
    assert [node.op_type for node in branch.node] == ["MatMul", "Relu"]
    assert [tensor.name for tensor in branch.initializer] == ["matrix"]


def test_the_model_itself_and_one_without_the_output_stay_as_they_are():
    model = made()
    before = model.SerializeToString()
    make_optional(model, "wanted")
    assert model.SerializeToString() == before
    assert make_optional(model, "points68") is model


@pytest.mark.parametrize("name", ["keypoints", "keypoints-small"])
@pytest.mark.parametrize("suffix", [".onnx", ".int8.onnx"])
def test_the_embedded_networks_compute_the_68_points_where_they_are_asked_for(name, suffix):
    session = onnxruntime.InferenceSession(
        EMBEDDED.with_name(name + suffix), providers=["CPUExecutionProvider"]
    )
    face = np.full((2, 96, 96, 1), 127, np.uint8)
    shapes = [
        session.run(["points68"], {"face": face, **inputs})[0].shape
        for inputs in ({}, {"with_points68": np.array(False)})
    ]
    assert shapes == [(2, 68, 2), (0, 68, 2)]
