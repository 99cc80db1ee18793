import numpy as np

from edge.geometry.head_shape import HEAD_MODES, MEAN_68, MEAN_HEAD, SCHEME, half_coordinates
from edge.keypoints import KEYPOINT_NAMES, MIRROR_ORDER

MIRROR = list(MIRROR_ORDER)


def test_the_mean_head_is_symmetric_and_of_true_proportions():
    np.testing.assert_array_equal(MEAN_68[MIRROR] * [-1, 1, 1], MEAN_68)
    np.testing.assert_array_equal(SCHEME[MIRROR] * [-1, 1], SCHEME)
    np.testing.assert_allclose(MEAN_HEAD.mean(axis=0), 0, atol=1e-12)
    point = dict(zip(KEYPOINT_NAMES, MEAN_HEAD, strict=True))
    eyes = (point["left_eye_outer_corner"] + point["right_eye_outer_corner"]) / 2
    # Farkas (1994), adults: exocanthion–exocanthion 8.8 to 9.1 cm, in photos a little more; the
    # nose protrudes from between the eyes by half of that.
    assert 8.7 < np.ptp(MEAN_HEAD[[3, 5], 0]) < 9.4
    assert 4.0 < (eyes - point["nose_tip"])[2] < 5.0


def test_half_coordinates_divide_what_is_symmetric_from_what_is_not():
    same, opposite = half_coordinates()
    assert (len(same), len(opposite)) == (24, 21)
    both = np.concatenate([same, opposite])
    np.testing.assert_allclose(both @ both.T, np.eye(45), atol=1e-12)
    mirrored = both.reshape(-1, 15, 3)[:, MIRROR] * [-1, 1, 1]
    np.testing.assert_allclose(mirrored[:24], both[:24].reshape(-1, 15, 3), atol=1e-12)
    np.testing.assert_allclose(mirrored[24:], -both[24:].reshape(-1, 15, 3), atol=1e-12)


def test_mouth_and_brows_vary_more_than_eyes():
    deviation = dict(zip(KEYPOINT_NAMES, np.sqrt((HEAD_MODES**2).sum(axis=(0, 2))), strict=True))
    eyes = max(value for name, value in deviation.items() if "eye_" in name)
    assert min(value for name, value in deviation.items() if "mouth" in name) > 1.5 * eyes
    assert deviation["left_eyebrow_inner_end"] > eyes
    assert max(deviation.values()) < 2.0  # cm
