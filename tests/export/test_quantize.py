import pytest

pytest.importorskip("onnx")

import onnx
from onnx import TensorProto, helper

from edge.image import load_image, to_grey
from edge.networks.face_detector import EMBEDDED
from export.calibration import detector_batches
from export.quantize import quantize_detector, without_unused_domains
from tests.conftest import ROOT


@pytest.mark.slow
def test_only_the_3x3_convolutions_of_a_detector_are_quantised(tmp_path):
    grey = to_grey(load_image(ROOT / "edge" / "data" / "astronaut.jpg"))
    model = quantize_detector(EMBEDDED, detector_batches([grey]), tmp_path)
    producers = {name: node.op_type for node in model.graph.node for name in node.output}
    shapes = {weight.name: tuple(weight.dims) for weight in model.graph.initializer}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    in_float = [c for c in convolutions if producers.get(c.input[1]) != "DequantizeLinear"]
    assert len(convolutions) == 16
    assert [shapes[c.input[1]][2:] for c in in_float] == [(1, 1)] * 6


def test_operator_sets_that_no_node_uses_are_removed():
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "small", [x], [y])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = without_unused_domains(helper.make_model(graph, opset_imports=opsets))
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 17)]


@pytest.mark.parametrize("name", ["face", "face.int8", "keypoints", "keypoints.int8"])
def test_an_embedded_network_opens_on_the_oldest_supported_onnxruntime(name):
    model = onnx.load(EMBEDDED.with_name(f"{name}.onnx"))
    # The versions of onnxruntime 1.17, which refuses a file that declares newer ones, used or not.
    supported = {"": 20, "ai.onnx.ml": 4}
    assert all(opset.version <= supported.get(opset.domain, 0) for opset in model.opset_import)
    assert model.ir_version <= 9
