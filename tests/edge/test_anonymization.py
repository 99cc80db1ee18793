import numpy as np
import pytest
from PIL import Image

from edge.anonymization import hide
from edge.errors import ImageError
from edge.face import Face
from edge.geometry.similarity import similarity
from edge.keypoints import KEYPOINT_NAMES
from tests.drawn_faces import face_at, spotted

EYE = KEYPOINT_NAMES.index("left_eye_center")


@pytest.mark.parametrize("part", ["face", "eyes"])
def test_hidden_eyes_cannot_be_seen_and_the_rest_is_left_alone(part):
    face = face_at(similarity(1.5, 10.0, (47.5, 47.5), (200.0, 150.0)))
    image = spotted(face)
    before = image.copy()
    hidden = hide(image, [face], part)
    np.testing.assert_array_equal(image, before)
    x, y = np.rint(face.keypoints[EYE]).astype(int)
    assert hidden[y, x, 0] < 200
    assert (hidden[:20] == image[:20]).all()
    chin = np.rint(face.keypoints[KEYPOINT_NAMES.index("mouth_center_bottom_lip")]).astype(int)
    changed = (hidden[chin[1], chin[0]] != image[chin[1], chin[0]]).any()
    assert changed == (part == "face")


def test_faces_outside_the_picture_or_without_shape_do_no_harm():
    far = face_at(similarity(1.0, 0.0, (0.0, 0.0), (5000.0, 0.0)))
    image = np.full((100, 100, 3), 77, np.uint8)
    np.testing.assert_array_equal(hide(image, [far]), image)
    point = Face(np.array([10, 10, 30, 40], np.float32), 1.0, np.full((15, 2), 25, np.float32),
                 np.ones(15, np.float32))  # fmt: skip
    image[25, 25] = 255
    assert hide(image, [point])[25, 25, 0] < 150
    with pytest.raises(ValueError, match="part"):
        hide(image, [point], "nose")


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((50, 50), np.uint8),
        np.zeros((50, 50, 4), np.uint8),
        np.zeros((50, 50, 3), np.float32),
        Image.new("RGB", (50, 50)),
    ],
)
def test_what_is_no_rgb_array_is_refused(image):
    with pytest.raises(ImageError, match=r"expected (a )?uint8"):
        hide(image, [])
