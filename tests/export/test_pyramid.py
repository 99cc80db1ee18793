import numpy as np
import pytest

pytest.importorskip("onnx")

import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from edge.networks.face_detector import EMBEDDED
from export.pyramid import prepare_pyramid


def run(model, image):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {session.get_inputs()[0].name: image})


@pytest.mark.parametrize("shape", [(64, 96), (96, 64), (32, 32)])
def test_upsampling_and_answers_are_rewritten_with_the_same_results(rng, shape):
    weights = {
        "scales": np.array([1, 1, 2, 2], np.float32),
        "kernel": rng.normal(size=(5, 4, 1, 1)).astype(np.float32),
        "bias": rng.normal(size=5).astype(np.float32),
    }
    nodes = [
        helper.make_node("Resize", ["x", "", "scales"], ["large"], mode="nearest",
                         coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
        helper.make_node("Conv", ["large", "kernel", "bias"], ["answers"]),
        helper.make_node("Flatten", ["answers"], ["rows"], axis=2),
    ]  # fmt: skip
    graph = helper.make_graph(
        nodes, "made",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, "H", "W"])],
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, [5, "C"])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    x = rng.normal(size=(1, 4, *shape)).astype(np.float32)
    (expected,) = run(model, x)
    features = prepare_pyramid(model)
    onnx.checker.check_model(model, full_check=True)
    assert not {"Resize", "Conv"} & {node.op_type for node in model.graph.node}
    assert len(features) == 1
    np.testing.assert_allclose(run(model, x)[0], expected, rtol=1e-5, atol=1e-5)


def test_the_embedded_detector_gives_the_same_boxes_when_rewritten(rng):
    model = onnx.load(EMBEDDED)
    image = rng.integers(0, 256, (1, 128, 160, 1)).astype(np.uint8)
    image[:, 32:96, 48:112] = np.linspace(40, 220, 64, dtype=np.uint8)[None, :, None, None]
    expected = run(model, image)
    prepare_pyramid(model)
    for ours, theirs in zip(run(model, image), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-3)


def test_a_model_of_another_form_is_left_as_it_is():
    model = onnx.load(EMBEDDED.with_name("eyes.onnx"))
    before = model.SerializeToString()
    assert prepare_pyramid(model) == []
    assert model.SerializeToString() == before
