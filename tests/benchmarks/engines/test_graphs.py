import numpy as np
import onnxruntime
import pytest

onnx = pytest.importorskip("onnx")

from benchmarks.engines.graphs import (  # noqa: E402
    always_computed,
    fix_shape,
    split_detector,
    take_floats,
)
from edge.image import load_image, to_grey  # noqa: E402
from edge.networks.face_detector import EMBEDDED as FACE  # noqa: E402
from edge.networks.face_detector import FaceDetector  # noqa: E402
from edge.networks.keypoint_model import EMBEDDED as KEYPOINTS  # noqa: E402
from edge.networks.precision import int8_file  # noqa: E402


def run(model, inputs):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


@pytest.fixture
def image(sample):
    canvas, _ = FaceDetector.letterbox(to_grey(load_image(sample)), 352)
    assert canvas.shape == (1, 352, 352, 1)
    return canvas


@pytest.mark.parametrize("file", [FACE, int8_file(FACE)], ids=["fp32", "int8"])
def test_both_parts_of_a_detector_find_what_the_whole_does(file, image):
    whole = onnx.load(file)
    parts = split_detector(whole)
    assert "NonMaxSuppression" not in {node.op_type for node in parts.network.graph.node}
    cells = run(parts.network, {"image": image})
    assert cells[parts.cells].shape[1] == 44**2 + 22**2 + 11**2
    expected = run(whole, {"image": image})
    assert (expected["scores"] > 0.5).sum() == 1
    for name, values in run(parts.boxes, {"image": image, **cells}).items():
        np.testing.assert_allclose(values, expected[name], atol=1e-3)


def test_a_keypoint_network_is_no_detector():
    with pytest.raises(ValueError, match="no cell"):
        split_detector(onnx.load(KEYPOINTS))


def test_pixels_as_floats_give_the_same_keypoints():
    model = fix_shape(always_computed(onnx.load(KEYPOINTS)))
    crop = np.random.default_rng(0).integers(0, 256, (1, 96, 96, 1)).astype(np.uint8)
    floats = take_floats(model)
    assert "Cast" not in {node.op_type for node in floats.graph.node}
    expected = run(model, {"face": crop})
    for name, values in run(floats, {"face": crop.astype(np.float32)}).items():
        np.testing.assert_allclose(values, expected[name], atol=1e-3)


def test_a_network_that_computes_with_the_integers_has_no_form_with_floats():
    assert take_floats(fix_shape(always_computed(onnx.load(int8_file(KEYPOINTS))))) is None


def test_without_its_optional_output_a_keypoint_network_has_no_branches():
    model = always_computed(onnx.load(KEYPOINTS))
    assert "If" not in {node.op_type for node in model.graph.node}
    assert [tensor.name for tensor in model.graph.input] == ["face"]
    faces = {"face": np.full((1, 96, 96, 1), 90, np.uint8)}
    expected, found = run(onnx.load(KEYPOINTS), faces), run(model, faces)
    assert set(expected) - set(found) == {"points68"}
    for name, values in found.items():
        np.testing.assert_array_equal(values, expected[name])
    detector = onnx.load(FACE)
    assert always_computed(detector) is detector
