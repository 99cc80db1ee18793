import numpy as np
import pytest

from edge.detector import EMBEDDED, FaceDetector, working_shape
from edge.errors import ModelError
from edge.image import load_image, to_grey
from edge.model import EMBEDDED as KEYPOINTS

FACE = np.array([186, 61, 80, 108])  # marked by hand on the sample: forehead to chin, px


def overlap(first, second):
    """Intersection over union of two boxes (x, y, width, height)."""
    low = np.maximum(first[:2], second[:2])
    high = np.minimum(first[:2] + first[2:], second[:2] + second[2:])
    inner = np.prod(np.maximum(high - low, 0))
    return inner / (np.prod(first[2:]) + np.prod(second[2:]) - inner)


@pytest.fixture(scope="module")
def detector():
    return FaceDetector()


@pytest.fixture
def grey(sample):
    return to_grey(load_image(sample))


def test_the_face_of_the_sample_is_found_and_nothing_else(detector, grey):
    boxes, scores = detector(grey)
    sure = boxes[scores > 0.5]
    assert len(sure) == 1
    assert overlap(sure[0], FACE) > 0.75


@pytest.mark.parametrize("scale", [2, 1, 0.5])
def test_a_face_is_found_at_its_place_whatever_the_size_of_the_picture(detector, grey, scale):
    from edge.image import resize

    side = round(512 * scale)
    wide = np.full((side + 200, side + 333), 90, np.uint8)
    wide[120 : 120 + side, 211 : 211 + side] = resize(grey, (side, side))
    boxes, scores = detector(wide, 640)
    assert scores[0] > 0.5
    assert overlap(boxes[0], FACE * scale + [211, 120, 0, 0]) > 0.7


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (30, 30), (500, 500)])
def test_nothing_is_found_in_nothing(detector, shape):
    boxes, scores = detector(np.full(shape, 128, np.uint8))
    assert boxes.shape == (len(scores), 4)
    assert not (scores > 0.5).any()


def test_a_face_at_the_border_is_found(detector, grey):
    boxes, scores = detector(np.ascontiguousarray(grey[75:, 200:]))
    assert scores[0] > 0.4
    assert overlap(boxes[0], FACE - [200, 75, 0, 0]) > 0.5


def test_many_faces_are_found_each_once(detector, grey):
    from edge.image import resize

    sheet = np.tile(resize(grey[20:212, 120:312], (64, 64)), (10, 10))
    boxes, scores = detector(sheet, 640)
    centres = (boxes[scores > 0.5, :2] + boxes[scores > 0.5, 2:] / 2) // 64
    assert len(np.unique(centres, axis=0)) == len(centres) == 100


def test_pictures_are_searched_at_a_few_shapes():
    shapes = {working_shape(round(320 * part), 320) for part in np.linspace(0.01, 1, 60)}
    assert shapes == {(192, 320), (256, 320), (320, 320)}
    assert working_shape(640, 480) == (640, 480)
    assert working_shape(320, 1) == (320, 192)


def test_threads_do_not_change_what_is_found(detector, grey):
    from concurrent.futures import ThreadPoolExecutor

    pictures = [grey, grey[:, ::-1].copy(), grey[40:300].copy()] * 3
    alone = [detector(picture) for picture in pictures]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(detector, pictures))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one[0], other[0])


def test_a_file_that_is_no_detector_is_refused(tmp_path):
    onnx = pytest.importorskip("onnx")
    with pytest.raises(ModelError, match="no such model file"):
        FaceDetector(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match="not a detector: metadata box_convention missing"):
        FaceDetector(KEYPOINTS)
    (tmp_path / "junk.onnx").write_bytes(b"junk")
    with pytest.raises(ModelError, match="cannot be opened"):
        FaceDetector(tmp_path / "junk.onnx")
    model = onnx.load(EMBEDDED)
    for node in model.graph.node:
        node.output[:] = ["found" if name == "scores" else name for name in node.output]
    model.graph.output[1 if model.graph.output[1].name == "scores" else 0].name = "found"
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(ModelError, match="not a face detector"):
        FaceDetector(tmp_path / "other.onnx")
