import numpy as np
import pytest

from edge.alignment import align
from edge.anonymization import hide
from edge.errors import ImageError
from edge.face import Face
from edge.geometry.affine import transform
from edge.geometry.face_frame import MEAN_FACE
from edge.geometry.similarity import similarity
from edge.keypoints import KEYPOINT_NAMES

EYE = KEYPOINT_NAMES.index("left_eye_center")


def face_at(matrix):
    points = transform(matrix, MEAN_FACE).astype(np.float32)
    low, high = points.min(axis=0), points.max(axis=0)
    return Face(np.array([*low, *(high - low)], np.float32), 1.0, points, np.ones(15, np.float32))


def spotted(face, size=(300, 400), colour=(255, 0, 0)):
    """A grey picture with a coloured spot at each keypoint."""
    image = np.full((*size, 3), 120, np.uint8)
    y, x = np.mgrid[: size[0], : size[1]]
    for point in face.keypoints:
        image[np.hypot(x - point[0], y - point[1]) < 4] = colour
    return image


@pytest.mark.parametrize("size", [56, 112, 224])
def test_an_aligned_face_has_its_points_in_the_templates_places(size):
    face = face_at(similarity(2.0, 25.0, (47.5, 47.5), (200.0, 150.0)))
    chip = align(spotted(face), face, size)
    assert chip.shape == (size, size, 3)
    scale = size / 112
    for x, y in ((73.5, 51.5), (38.3, 51.7), (56.0, 71.7)):
        # The mean face is not the template's face: its points come to lie within some px of it.
        near = chip[round((y - 6) * scale) : round((y + 7) * scale),
                    round((x - 6) * scale) : round((x + 7) * scale)].astype(int)  # fmt: skip
        assert (near[..., 0] - near[..., 1]).max() > 100
    corner = chip[: size // 8, : size // 8].astype(int)
    assert (np.abs(corner - 120) < 5).all()


def test_a_face_whose_points_lie_in_one_place_cannot_be_aligned():
    face = Face(np.zeros(4, np.float32), 1.0, np.full((15, 2), 9, np.float32), np.ones(15))
    with pytest.raises(ImageError, match="in one place"):
        align(np.zeros((20, 20, 3), np.uint8), face)
    with pytest.raises(ValueError, match="size"):
        align(np.zeros((20, 20, 3), np.uint8), face, 0)


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
