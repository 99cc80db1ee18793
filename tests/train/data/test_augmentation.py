from dataclasses import replace

import numpy as np
import pytest

from edge.keypoints import KEYPOINT_NAMES
from tests.made_faces import make_faces
from train.data.augmentation import Augmentation, augment, mirror, smooth_crosses

STILL = Augmentation(
    mirror=0, turn_deg=0, scale=0, shift=0, stretch=0, contrast=0, brightness=0, blur=0, noise=0,
    repairs=0, erase=0,
)  # fmt: skip
GEOMETRY = {
    "mirror": {"mirror": 1.0},
    "turn": {"turn_deg": 15.0},
    "far turn": {"turn_far": 1.0},
    "scale": {"scale": 0.15},
    "shift": {"shift": 0.06},
    "far framing": {"frame_far": 1.0},
    "stretch": {"stretch": 0.1},
    "all": {"mirror": 0.5, "turn_deg": 10.0, "scale": 0.1, "shift": 0.05, "stretch": 0.05},
}


@pytest.fixture
def face():
    images, keypoints = make_faces(1)
    return images[0], keypoints[0]


def darkness_at(image, point):
    x, y = np.rint(point).astype(int)
    return float(image[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].mean())


def test_without_augmentation_the_face_is_unchanged(face, rng):
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
def test_keypoints_move_with_the_image(face, seed):
    settings = Augmentation(blur=0, noise=0, repairs=0, erase=0, contrast=0, brightness=0)
    image, keypoints = augment(*face, settings, np.random.default_rng(seed))
    ground = float(np.median(image))
    inside = ((keypoints > 1) & (keypoints < 94)).all(axis=1)
    assert inside.sum() >= 10
    for point in keypoints[inside]:
        assert darkness_at(image, point) < ground - 30


def test_missing_keypoints_stay_missing(face, rng):
    image, keypoints = face
    keypoints[4] = np.nan
    _, moved = augment(image, keypoints, Augmentation(mirror=0), rng)
    assert np.isnan(moved[4]).all()
    assert np.isnan(moved).sum() == 2


def test_the_same_seed_gives_the_same_result(face):
    first, second = (augment(*face, Augmentation(), np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


def test_smoothed_crosses_change_a_few_pixels_only(rng):
    image = rng.integers(0, 256, size=(96, 96)).astype(np.uint8)
    changed = smooth_crosses(image, 3, rng) != image
    assert 10 < changed.sum() <= 3 * 9


def centre_of_dot(image, near):
    """Where the dot nearest to `near` has its centre of mass, px."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    weight = image * (np.hypot(x - near[0], y - near[1]) < 9)
    return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


@pytest.mark.parametrize("side", [96, 144])
@pytest.mark.parametrize("change", GEOMETRY)
def test_keypoints_and_pixels_move_alike(change, side):
    settings = replace(STILL, **GEOMETRY[change])
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:side, :side]
    for _ in range(10):
        points = np.full((15, 2), np.nan, np.float32)
        points[0] = rng.uniform(-16, 16, size=2) + (side - 1) / 2
        away = np.hypot(x - points[0, 0], y - points[0, 1])
        dot = np.rint(250 * np.exp(-((away / 3) ** 2))).astype(np.uint8)
        image, moved = augment(dot, points, settings, rng)
        point = moved[~np.isnan(moved).any(axis=1)]
        assert image.shape == (96, 96)
        np.testing.assert_allclose(centre_of_dot(image, point[0]), point[0], atol=0.15)


def test_geometric_augmentation_does_not_change_grey_values(face, rng):
    settings = Augmentation(shade=1, compress=1, low_resolution=1, gamma=1).moving_only()
    assert settings.turn_deg == Augmentation().turn_deg
    flat = np.full((96, 96), 77, np.uint8)
    image, _ = augment(flat, face[1], settings, rng)
    assert (image == 77).all()


@pytest.mark.parametrize("change", ["gamma", "shade", "low_resolution", "compress"])
def test_photometric_augmentation_changes_the_image_and_no_keypoint(face, change, rng):
    image, keypoints = augment(*face, replace(STILL, **{change: 1.0}), rng)
    assert np.abs(image.astype(int) - face[0]).mean() > 0.5
    np.testing.assert_allclose(keypoints, face[1], atol=1e-5)
