import numpy as np
import pytest

from benchmarks.datasets.photos import Photo
from benchmarks.visibility.covered import cover, cut_off
from benchmarks.visibility.occlusions import Material
from edge.geometry.face_frame import MEAN_FACE
from edge.keypoints import KEYPOINT_NAMES


@pytest.fixture
def photo(rng):
    return Photo(rng.integers(1, 256, (96, 96)).astype(np.uint8), MEAN_FACE.astype(np.float32))


def pixels(photo, rows):
    x, y = np.rint(photo.keypoints[rows]).astype(int).T
    return photo.grey[y, x]


def test_what_is_cut_off_is_outside(photo, rng):
    for _ in range(10):
        covered = cut_off(photo, rng, is_black=False)
        x, y = np.rint(covered.photo.keypoints).astype(int).T
        height, width = covered.photo.grey.shape
        outside = (x < 0) | (x >= width) | (y < 0) | (y >= height)
        np.testing.assert_array_equal(outside, covered.hidden)
        assert 0 < outside.sum() < 15
        assert (pixels(covered.photo, ~outside) == pixels(photo, ~outside)).all()


def test_what_is_behind_a_black_border_is_black(photo, rng):
    for _ in range(10):
        covered = cut_off(photo, rng, is_black=True)
        assert 0 < covered.hidden.sum() < 15
        assert not pixels(covered.photo, covered.hidden).any()
        assert (pixels(covered.photo, ~covered.hidden) == pixels(photo, ~covered.hidden)).all()


def test_a_mask_hides_the_mouth_whose_middle_is_clear_of_its_rim(photo, rng):
    covered = cover(photo, "mask", Material([photo.grey], [photo]), rng)
    mouth = [k for k, name in enumerate(KEYPOINT_NAMES) if name.startswith("mouth")]
    assert covered.hidden[mouth].all()
    assert not covered.hidden[:10].any()
    assert covered.is_clear[KEYPOINT_NAMES.index("mouth_center_top_lip")]
    assert covered.is_clear[:10].all()
    assert (pixels(covered.photo, range(10)) == pixels(photo, range(10))).all()
