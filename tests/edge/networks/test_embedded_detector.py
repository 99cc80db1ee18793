"""The embedded face detector on the sample's face and on pictures made of it."""

import numpy as np
import pytest
from PIL import Image

from edge import FaceKeypoints
from edge.geometry.boxes import intersection_over_union
from edge.geometry.face_frame import box_of_square
from edge.geometry.keypoint_frame import face_square
from edge.image import load_image, to_grey
from edge.networks.face_detector import EMBEDDED, FaceDetector
from tests.conftest import SAMPLE


@pytest.fixture(scope="module")
def detect():
    return FaceDetector(EMBEDDED)


@pytest.fixture(scope="module")
def face():
    """The sample, and the box that its keypoints say, by the network that never saw a box."""
    square = np.array([[185.0, 60.0, 80.0, 107.0]])
    (seen,) = FaceKeypoints(detector="none", precision="fp32").faces_at(SAMPLE, square)
    return to_grey(load_image(SAMPLE)), box_of_square(face_square(seen.keypoints))


def fit(boxes, box):
    return float(intersection_over_union(box[None], boxes).max(initial=0.0))


def resized(grey, box, factor, size=None):
    """The picture made larger or smaller, on a grey canvas of `size` if given; and its box."""
    shape = tuple(round(side * factor) for side in grey.shape[::-1])
    small = np.asarray(Image.fromarray(grey).resize(shape, Image.Resampling.BOX))
    if size is None:
        return small, box * factor
    canvas = np.full(size, int(grey.mean()), np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small
    return canvas, box * factor


@pytest.mark.parametrize("detect_size", [160, 320, 512, 640])
def test_the_samples_face_is_found_where_its_keypoints_are(detect, face, detect_size):
    grey, box = face
    found = detect(grey, detect_size)
    boxes, scores = found.boxes, found.scores
    assert fit(boxes[:1], box) > 0.7
    assert scores[0] > 0.7
    # What else it proposes, the keypoint network refuses.
    (alone,) = FaceKeypoints(precision="fp32", detect_size=detect_size)(SAMPLE)
    assert fit(alone.box[None], box) > 0.7


@pytest.mark.parametrize("width", [16, 24, 48, 160])
def test_small_and_large_faces_are_found(detect, face, width):
    grey, box = resized(*face, width / face[1][2], None if width > 100 else (320, 320))
    found = detect(grey, max(grey.shape))
    boxes, scores = found.boxes, found.scores
    assert fit(boxes[scores > 0.4], box) > 0.5


def test_the_mirror_image_has_the_mirrored_box(detect, face):
    grey, _ = face
    box = detect(grey).boxes[0]
    mirrored = detect(np.ascontiguousarray(grey[:, ::-1])).boxes[0]
    mirrored[0] = grey.shape[1] - mirrored[0] - mirrored[2]
    np.testing.assert_allclose(mirrored, box, atol=6)


def test_faces_side_by_side_are_told_apart(detect, face):
    grey, box = face
    x, y, width, height = box.astype(int)
    one = grey[y - 10 : y + height + 10, x - 5 : x + width + 5]
    found = detect(np.hstack([one] * 3))
    boxes, scores = found.boxes, found.scores
    assert int((scores > 0.5).sum()) == 3
    centres = np.sort(boxes[scores > 0.5][:, 0])
    np.testing.assert_allclose(np.diff(centres), one.shape[1], atol=8)


@pytest.mark.parametrize("side", ["left", "top", "right", "bottom"])
def test_a_face_that_the_edge_cuts_is_found(detect, face, side):
    grey, (x, y, width, height) = face
    quarter = {
        "left": np.s_[:, round(x + width / 4) :],
        "top": np.s_[round(y + height / 5) :, :],
        "right": np.s_[:, : round(x + 3 * width / 4)],
        "bottom": np.s_[: round(y + 4 * height / 5), :],
    }[side]
    scores = detect(np.ascontiguousarray(grey[quarter])).scores
    assert scores.max(initial=0) > 0.4


def test_nothing_is_found_where_nothing_is(detect, rng):
    y, x = np.mgrid[:240, :320]
    pictures = {
        "black": np.zeros((320, 320)),
        "white": np.full((240, 320), 255),
        "noise": rng.integers(0, 256, (320, 320)),
        "ramp": x * 255 / 319,
        "rings": 127 + 127 * np.sin(np.hypot(x - 160, y - 120) / 4),
        "checks": (x // 16 + y // 16) % 2 * 255,
    }
    for name, picture in pictures.items():
        scores = detect(picture.astype(np.uint8)).scores
        assert (scores < 0.5).all(), name


def test_opencv_is_not_needed(sample, run_python):
    code = (
        "import sys; sys.modules['cv2'] = None; import edge;"
        "faces = edge.FaceKeypoints()(sys.argv[1]); print(len(faces), faces[0].score > 0.7)"
    )
    assert run_python("-c", code, sample).stdout.split() == [b"1", b"True"]
