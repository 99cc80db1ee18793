import pickle

import numpy as np
import pytest

import edge
from edge.face import Face
from edge.image import load_image, to_grey
from edge.keypoints import KEYPOINT_NAMES

MOUTH = [k for k, name in enumerate(KEYPOINT_NAMES) if name.startswith("mouth")]
NOSE = KEYPOINT_NAMES.index("nose_tip")
EYES = [k for k, name in enumerate(KEYPOINT_NAMES) if "_eye_" in name]


@pytest.fixture(scope="module")
def visibility():
    return edge.Visibility()


@pytest.fixture
def image(sample):
    return load_image(sample)


@pytest.fixture
def face(image, detect):
    (face,) = detect(image)
    return face


def test_an_uncovered_face_is_seen(visibility, image, face):
    [visible] = visibility(image, [face])
    assert visible.shape == (15,)
    assert visible.dtype == np.float32
    assert visible.min() > 0.5


def test_grey_and_colour_are_the_same(visibility, image, face):
    [colour], [grey] = visibility(image, [face]), visibility(to_grey(image), [face])
    np.testing.assert_allclose(colour, grey, atol=0.02)


def test_a_mask_hides_nose_and_mouth(visibility, image, face):
    covered = image.copy()
    x, y, width, height = face.box.astype(int)
    covered[y + height // 2 : y + height, x : x + width] = 235
    [visible] = visibility(covered, [face])
    assert visible[[NOSE, *MOUTH]].max() < 0.5
    assert visible[EYES].min() > 0.5


def test_a_bar_hides_the_eyes(visibility, image, face):
    covered = image.copy()
    x, y, width, height = face.box.astype(int)
    covered[y + int(0.14 * height) : y + int(0.44 * height), x : x + width] = 20
    [visible] = visibility(covered, [face])
    assert visible[EYES].max() < 0.5
    assert visible[MOUTH].min() > 0.5


def test_what_is_outside_the_image_is_not_seen(visibility, image, face):
    place = int(face.keypoints[NOSE, 0]) + 1
    cut = np.ascontiguousarray(image[:, :place])
    [visible] = visibility(cut, [face])
    outside = face.keypoints[:, 0] >= place - 0.5
    assert outside.any()
    assert not visible[outside].any()
    assert visible[~outside].all()


def test_faces_whose_points_coincide_are_not_told(visibility, image, face):
    flat = Face(np.zeros(4, np.float32), 1.0, np.ones((15, 2), np.float32),
                np.ones(15, np.float32))  # fmt: skip
    assert visibility(image, []) == []
    first, second = visibility(image, [flat, face])
    assert first is None
    np.testing.assert_array_equal(second, visibility(image, [face])[0])


def test_a_pickled_one_is_the_same(visibility, image, face):
    copy = pickle.loads(pickle.dumps(visibility))
    np.testing.assert_array_equal(copy(image, [face])[0], visibility(image, [face])[0])
