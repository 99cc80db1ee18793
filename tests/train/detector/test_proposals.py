import numpy as np
import pytest

pytest.importorskip("cv2")

from edge.networks.detections import Detections
from edge.networks.keypoint_model import Prediction
from tests.made_photos import boxed
from train.detector.photos import NO_BOXES, NO_ROLLS, Photo
from train.detector.proposals import classify_proposals, crop_proposals


@pytest.fixture
def photo():
    """A face on the left and an ignored box on the right."""
    pixels = np.tile(np.arange(160, dtype=np.uint8), (120, 1))
    face, ignored = boxed((20, 30, 40, 50)), boxed((110, 30, 40, 50))
    return Photo(pixels, face, ignored, "photos", np.zeros(1, np.float32))


def test_a_proposal_shows_a_face_or_background_or_is_ambiguous(photo):
    boxes = boxed((22, 31, 40, 50), (32, 40, 40, 50), (70, 80, 30, 30), (108, 30, 40, 50))
    is_face, is_background = classify_proposals(boxes, photo)
    assert is_face.tolist() == [True, False, False, False]
    assert is_background.tolist() == [False, False, True, False]
    is_face, is_background = classify_proposals(
        boxes, Photo(photo.pixels, NO_BOXES, NO_BOXES, "negatives", NO_ROLLS)
    )
    assert not is_face.any()
    assert is_background.all()


def test_proposals_are_cropped_as_in_the_first_and_in_the_last_inference_pass(photo):
    class Model:
        size = 96

        def __call__(self, crops, points68=False):
            points = np.tile(np.linspace(20, 76, 15, dtype=np.float32)[:, None], (1, 2))
            count = len(crops)
            points = np.tile(points, (count, 1, 1))
            return Prediction(points, np.ones((count, 15)), np.ones(count))

    def detector(pixels, size):
        return Detections(boxed((22, 31, 40, 50), (70, 80, 30, 30)), np.ones(2))

    faces, background = crop_proposals(detector, Model(), [photo])
    # Two sizes, two inference passes; upside down, at one size, both proposals are background.
    assert (len(faces), len(background)) == (4, 4 + 4)
    np.testing.assert_array_equal(faces[0], faces[2])  # the same box at both sizes
    # The photo grows brighter to the right, and the first crop is upright.
    assert (np.diff(faces[0].astype(int), axis=1) >= 0).all()
    assert abs(int(faces[0][48, 48]) - 42) <= 1
