import numpy as np
import pytest

from edge.keypoints import KEYPOINT_NAMES
from tests.made_faces import make_faces
from train.augment import Augmentation, augment, mirror, smooth_crosses

STILL = Augmentation(
    mirror=0, turn_deg=0, scale=0, shift=0, contrast=0, brightness=0, blur=0, noise=0, repairs=0,
    erase=0,
)  # fmt: skip


@pytest.fixture
def face():
    images, keypoints = make_faces(1)
    return images[0], keypoints[0]


def darkness_at(image, point):
    x, y = np.rint(point).astype(int)
    return float(image[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].mean())


def test_without_any_change_the_face_stays(face, rng):
    image, keypoints = augment(*face, STILL, rng)
    np.testing.assert_array_equal(image, face[0])
    np.testing.assert_allclose(keypoints, face[1], atol=1e-5)


def test_mirroring_twice_gives_the_original(face):
    image, keypoints = mirror(*mirror(*face))
    np.testing.assert_array_equal(image, face[0])
    np.testing.assert_allclose(keypoints, face[1], atol=1e-5)


def test_mirroring_swaps_left_and_right_names(face):
    left, right = (KEYPOINT_NAMES.index(f"{s}_eye_center") for s in ("left", "right"))
    _, keypoints = mirror(*face)
    np.testing.assert_allclose(keypoints[left], [95 - face[1][right, 0], face[1][right, 1]])
    assert keypoints[left, 0] > keypoints[right, 0]


@pytest.mark.parametrize("seed", range(8))
def test_labels_move_with_the_picture(face, seed):
    settings = Augmentation(blur=0, noise=0, repairs=0, erase=0, contrast=0, brightness=0)
    image, keypoints = augment(*face, settings, np.random.default_rng(seed))
    ground = float(np.median(image))
    inside = ((keypoints > 1) & (keypoints < 94)).all(axis=1)
    assert inside.sum() >= 10
    for point in keypoints[inside]:
        assert darkness_at(image, point) < ground - 30


def test_missing_points_stay_missing(face, rng):
    image, keypoints = face
    keypoints[4] = np.nan
    _, moved = augment(image, keypoints, Augmentation(mirror=0), rng)
    assert np.isnan(moved[4]).all()
    assert np.isnan(moved).sum() == 2


def test_the_same_seed_changes_the_same(face):
    first, again = (augment(*face, Augmentation(), np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])


def test_smoothed_crosses_change_a_few_pixels_only(rng):
    image = rng.integers(0, 256, size=(96, 96)).astype(np.uint8)
    changed = smooth_crosses(image, 3, rng) != image
    assert 10 < changed.sum() <= 3 * 9
