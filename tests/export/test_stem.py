import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge.networks.face_detector import EMBEDDED
from export.calibration import CalibrationBatches
from export.quantize import quantize_graph
from export.stem import group_pixels


def network(rng, *, filters=3, side=3, step=2, offset=-1.0, bias=("bias",), before=0):
    """Pixels scaled to −1…1, a convolution with a ReLU, and a second convolution."""
    pads = [before, before, side - step, side - step]
    weights = {
        "scale": np.full((1, 1, 1, 1), 1 / 127.5),
        "offset": np.full((1, 1, 1, 1), offset),
        "first": rng.normal(size=(filters, 1, side, side)),
        "bias": rng.normal(size=filters),
        "second": rng.normal(size=(2, filters, 3, 3)),
    }
    add = helper.make_node
    nodes = [
        add("Transpose", ["image"], ["transposed"], perm=[0, 3, 1, 2]),
        add("Cast", ["transposed"], ["cast"], to=TensorProto.FLOAT),
        add("Mul", ["cast", "scale"], ["mul"]),
        add("Add", ["mul", "offset"], ["add"]),
        add("Conv", ["add", "first", *bias], ["a"], strides=[step] * 2, pads=pads),
        add("Relu", ["a"], ["b"]),
        add("Conv", ["b", "second"], ["result"], pads=[1, 1, 1, 1]),
    ]
    graph = helper.make_graph(
        nodes, "made",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", "H", "W", 1])],
        [helper.make_tensor_value_info("result", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.float32(value), name) for name, value in weights.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(model, images):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"image": images})[0]


@pytest.mark.parametrize(("side", "step"), [(3, 2), (5, 4), (4, 4), (7, 4)])
def test_a_grouped_convolution_gives_the_same_results(rng, side, step):
    model = network(rng, side=side, step=step)
    images = rng.integers(0, 256, (2, 24, 48, 1)).astype(np.uint8)
    expected = run(model, images)
    grouped = group_pixels(model)
    assert (grouped.scale, grouped.zero_point) == (np.float32(1 / 127.5), 127)
    result = run(model, images)
    assert result.shape == expected.shape == (2, 2, 24 // step, 48 // step)
    # The padding at the lower and right edge is half a grey value off.
    np.testing.assert_allclose(result[:, :, :-2, :-2], expected[:, :, :-2, :-2], atol=1e-5)
    np.testing.assert_allclose(result, expected, atol=0.1)


@pytest.mark.parametrize(
    "other",
    [{"step": 1}, {"before": 1}, {"bias": ()}, {"bias": ("unknown",)}, {"offset": 0.0}],
    ids=str,
)
def test_an_unsupported_convolution_is_left_unchanged(rng, other):
    model = network(rng, **other)
    before = model.SerializeToString()
    assert group_pixels(model) is None
    assert model.SerializeToString() == before


@pytest.mark.parametrize("offset", [-1.0, -0.3])
def test_a_quantised_network_reads_uint8_pixels(rng, offset, tmp_path):
    images = rng.integers(0, 256, (8, 16, 24, 1)).astype(np.uint8)
    onnx.save(network(rng, offset=offset), tmp_path / "fp32.onnx")
    batches = CalibrationBatches("image", [images])
    int8 = quantize_graph(tmp_path / "fp32.onnx", batches, lambda _: [], tmp_path)
    assert feeds_pixels(int8.graph)
    expected = run(onnx.load(tmp_path / "fp32.onnx"), images)
    difference = np.abs(run(int8, images) - expected)[:, :, :-2, :-2]
    assert difference.mean() < 0.02 * np.abs(expected).mean()


@pytest.mark.parametrize("name", ["face", "keypoints"])
def test_the_embedded_int8_networks_read_uint8_pixels(name):
    assert feeds_pixels(onnx.load(EMBEDDED.with_name(f"{name}.int8.onnx")).graph)


def feeds_pixels(graph):
    """Whether the pixels reach the first convolution reordered but otherwise unchanged."""
    producers = {name: node for node in graph.node for name in node.output}
    first = next(node for node in graph.node if node.op_type == "Conv")
    names, types = [first.input[0]], []
    while names[-1] in producers:
        types.append(producers[names[-1]].op_type)
        names.append(producers[names[-1]].input[0])
    return types == ["DequantizeLinear", "Transpose", "Reshape"]
