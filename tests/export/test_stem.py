import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge.networks.face_detector import EMBEDDED
from export.quantize import _Inputs, _quantize
from export.stem import group_pixels


def network(rng, *, filters=3, side=3, step=2, offset=-1.0, bias=("bias",)):
    """Pixels to −1…1, one convolution with its ReLU, and another one."""
    pads = [0, 0, 1, 1] if step == 2 else [1, 1, 1, 1]
    weights = {
        "scale": np.full((1, 1, 1, 1), 1 / 127.5),
        "offset": np.full((1, 1, 1, 1), offset),
        "first": rng.normal(size=(filters, 1, side, side)),
        "bias": rng.normal(size=filters),
        "second": rng.normal(size=(2, filters, 3, 3)),
    }
    add = helper.make_node
    nodes = [
        add("Transpose", ["image"], ["turned"], perm=[0, 3, 1, 2]),
        add("Cast", ["turned"], ["cast"], to=TensorProto.FLOAT),
        add("Mul", ["cast", "scale"], ["mul"]),
        add("Add", ["mul", "offset"], ["add"]),
        add("Conv", ["add", "first", *bias], ["a"], strides=[step] * 2, pads=pads),
        add("Relu", ["a"], ["b"]),
        add("Conv", ["b", "second"], ["found"], pads=[1, 1, 1, 1]),
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


def test_a_grouped_convolution_gives_the_same(rng):
    model, pictures = network(rng), rng.integers(0, 256, (2, 6, 24, 1)).astype(np.uint8)
    expected = run(model, pictures)
    grouped = group_pixels(model)
    assert (grouped.scale, grouped.zero) == (np.float32(1 / 127.5), 127)
    found = run(model, pictures)
    assert found.shape == expected.shape == (2, 2, 3, 12)
    # What pads the picture is half a grey value off.
    np.testing.assert_allclose(found[:, :, :-2, :-2], expected[:, :, :-2, :-2], atol=1e-5)
    np.testing.assert_allclose(found, expected, atol=0.1)


@pytest.mark.parametrize(
    "other",
    [{"step": 1}, {"side": 5}, {"bias": ()}, {"bias": ("unknown",)}, {"offset": 0.0}],
    ids=str,
)
def test_another_convolution_stays_as_it_is(rng, other):
    model = network(rng, **other)
    before = model.SerializeToString()
    assert group_pixels(model) is None
    assert model.SerializeToString() == before


@pytest.mark.parametrize("offset", [-1.0, -0.3])
def test_a_quantised_network_takes_pixels_as_they_are(rng, offset, tmp_path):
    pictures = rng.integers(0, 256, (8, 16, 24, 1)).astype(np.uint8)
    onnx.save(network(rng, offset=offset), tmp_path / "full.onnx")
    small = _quantize(tmp_path / "full.onnx", _Inputs("image", [pictures]), lambda _: [], tmp_path)
    assert feeds_pixels(small.graph)
    expected = run(onnx.load(tmp_path / "full.onnx"), pictures)
    away = np.abs(run(small, pictures) - expected)[:, :, :-2, :-2]
    assert away.mean() < 0.02 * np.abs(expected).mean()


@pytest.mark.parametrize("name", ["face", "keypoints"])
def test_the_embedded_int8_networks_take_pixels_as_they_are(name):
    assert feeds_pixels(onnx.load(EMBEDDED.with_name(f"{name}.int8.onnx")).graph)


def feeds_pixels(graph):
    """Whether nothing but their order changes between the picture and the first convolution."""
    makers = {name: node for node in graph.node for name in node.output}
    first = next(node for node in graph.node if node.op_type == "Conv")
    names, kinds = [first.input[0]], []
    while names[-1] in makers:
        kinds.append(makers[names[-1]].op_type)
        names.append(makers[names[-1]].input[0])
    return kinds == ["DequantizeLinear", "Transpose", "Reshape"]
