import pytest

pytest.importorskip("onnx")

import onnx
from onnx import TensorProto, helper

from edge.image import load_image, to_grey
from edge.networks.face_detector import EMBEDDED
from export.calibration import detector_batches
from export.errors import ExportError
from export.quantize import quantize_detector, without_unused_domains
from tests.conftest import ROOT


@pytest.mark.slow
def test_a_detector_is_quantised_up_to_its_answers(tmp_path):
    grey = to_grey(load_image(ROOT / "edge" / "data" / "astronaut.jpg"))
    model = quantize_detector(EMBEDDED, detector_batches([grey]), tmp_path)
    producers = {name: node.op_type for node in model.graph.node for name in node.output}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    assert len(convolutions) == 13
    assert {producers.get(conv.input[1]) for conv in convolutions} == {"DequantizeLinear"}
    answers = [node for node in model.graph.node if node.op_type == "Gemm"]
    constants = {weight.name for weight in model.graph.initializer}
    assert len(answers) == 3
    assert all(answer.input[0] in constants for answer in answers)


def test_a_network_without_a_detectors_answers_is_refused(tmp_path):
    with pytest.raises(ExportError, match=r"eyes\.onnx: expected answers"):
        quantize_detector(EMBEDDED.with_name("eyes.onnx"), [], tmp_path)


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
