import numpy as np
import pytest

from edge import FaceKeypoints
from edge.geometry.face_frame import box_of_square, square_of_box
from edge.image import load_image, to_grey
from edge.networks.detections import Detections
from edge.networks.rotated import detect_rotated

SQUARE = np.array([30.0, 12.0, 21.0, 21.0])  # of a face in an image of 100×60 px


class FindsBright:
    """A detector that finds an upright face where three bright pixels say that its chin is down."""

    def __call__(self, grey, detect_size):
        (cy, cx), (my, mx) = (np.argwhere(grey == value)[0] for value in (200, 255))
        if mx != cx or my < cy:
            return Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32))
        square = np.array([cx - 10.0, cy - 10.0, 21.0, 21.0])
        box = box_of_square(square).astype(np.float32)
        return Detections(box[None], np.ones(1, np.float32))


@pytest.mark.parametrize(
    ("chin", "roll"), [((-8, 0), 90), ((0, -8), 180), ((8, 0), -90), ((0, 8), None)]
)
def test_a_rotated_face_has_its_upright_box_about_its_square_and_its_roll(chin, roll):
    grey = np.zeros((60, 100), np.uint8)
    x, y = 40, 22  # the centre of the square
    grey[y, x] = 200
    grey[y + chin[1], x + chin[0]] = 255
    found = detect_rotated(FindsBright(), grey, 320)
    if roll is None:  # upright faces are not found again
        assert not len(found.boxes)
        return
    assert found.rolls.tolist() == [roll]
    np.testing.assert_allclose(square_of_box(found.boxes[0]), SQUARE, atol=1e-4)


def test_the_roll_that_a_detector_gives_is_added_to_the_angle_of_the_search():
    def detect(grey, detect_size):
        boxes = np.array([[20, 20, 15, 20]], np.float32)
        return Detections(boxes, np.ones(1, np.float32), rolls=np.array([-30.0], np.float32))

    rolls = detect_rotated(detect, np.zeros((60, 100), np.uint8), 320).rolls
    assert sorted(rolls.tolist()) == [-120.0, 60.0, 150.0]


@pytest.fixture
def grey(sample):
    return to_grey(load_image(sample))


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_the_sample_that_lies_or_stands_on_its_head_has_the_points_of_the_upright_one(
    detect, grey, quarters
):
    (upright,) = detect(grey)
    (face,) = detect(np.ascontiguousarray(np.rot90(grey, -quarters)))
    x, y = upright.keypoints.T
    side = 511  # of the sample, less one
    places = {1: (side - y, x), 2: (side - x, side - y), 3: (y, side - x)}
    expected = np.stack(places[quarters], axis=1)
    eyes = np.linalg.norm(upright.keypoints[0] - upright.keypoints[1])
    assert np.linalg.norm(face.keypoints - expected, axis=1).mean() < 0.05 * eyes
    assert face.score > 0.8


def test_upright_faces_alone_are_found_where_that_is_asked_for(grey):
    detect = FaceKeypoints(precision="fp32", any_roll=False)
    assert not detect(np.ascontiguousarray(np.rot90(grey)))
    assert len(detect(grey)) == 1
    assert not detect.settings.any_roll
