import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge.detector import EMBEDDED
from export.stem import ZERO, widen


def network(rng, *, filters=3, side=3, step=2):
    """Pixels to −1…1, one convolution with its ReLU, and another one."""
    pads = [0, 0, 1, 1] if step == 2 else [1, 1, 1, 1]
    weights = {
        "scale": np.full((1, 1, 1, 1), 1 / 127.5),
        "offset": np.full((1, 1, 1, 1), -1.0),
        "first": rng.normal(size=(filters, 1, side, side)),
        "bias": rng.normal(size=filters),
        "second": rng.normal(size=(2, filters, 1, 1)),
    }
    nodes = [
        helper.make_node("Transpose", ["image"], ["turned"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["turned"], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["cast", "scale"], ["mul"]),
        helper.make_node("Add", ["mul", "offset"], ["add"]),
        helper.make_node("Conv", ["add", "first", "bias"], ["a"], strides=[step] * 2, pads=pads),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "second"], ["found"]),
    ]
    graph = helper.make_graph(
        nodes, "made",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", "H", "W", 1])],
        [helper.make_tensor_value_info("found", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.float32(value), name) for name, value in weights.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(model, pictures):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"image": pictures})[0]


def test_a_widened_convolution_gives_the_same(rng):
    model, pictures = network(rng), rng.integers(0, 256, (2, 6, 24, 1)).astype(np.uint8)
    expected = run(model, pictures)
    pixels = widen(model)
    assert list(pixels.values()) == [(np.float32(1 / 127.5), ZERO)]
    found = run(model, pictures)
    assert found.shape == expected.shape == (2, 2, 3, 12)
    # What lies around the picture is now half a grey value darker.
    np.testing.assert_allclose(found[:, :, :-1, :-1], expected[:, :, :-1, :-1], atol=1e-5)
    np.testing.assert_allclose(found, expected, atol=0.1)


@pytest.mark.parametrize("other", [{"step": 1}, {"side": 5}])
def test_another_convolution_stays_as_it_is(rng, other):
    model = network(rng, **other)
    before = model.SerializeToString()
    assert widen(model) == {}
    assert model.SerializeToString() == before


@pytest.mark.parametrize("name", ["face", "keypoints"])
def test_the_embedded_int8_networks_take_pixels_as_they_are(name):
    graph = onnx.load(EMBEDDED.with_name(f"{name}.int8.onnx")).graph
    values = {weight.name: numpy_helper.to_array(weight) for weight in graph.initializer}
    assert all(node.op_type != "Cast" for node in graph.node[:6])
    first = next(node for node in graph.node if node.op_type == "Conv")
    (pixels,) = (node for node in graph.node if first.input[0] in node.output)
    assert pixels.op_type == "DequantizeLinear"
    scale, zero = (values[name].item() for name in pixels.input[1:])
    assert (scale, zero) == (pytest.approx(1 / 127.5), ZERO)
