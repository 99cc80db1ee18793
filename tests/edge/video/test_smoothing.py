import numpy as np
import pytest

from edge.geometry.affine import to_complex, transform
from edge.geometry.face_frame import MEAN_FACE
from edge.geometry.similarity import similarity
from edge.keypoints import KEYPOINT_NAMES
from edge.video.smoothing import PointFilter, Smoothing

RATE = 30.0
BOTTOM = KEYPOINT_NAMES.index("mouth_center_bottom_lip")


def through(points, settings=None):
    smooth = PointFilter(settings or Smoothing())
    found = [smooth(to_complex(some), 1 / RATE) for some in points]
    return np.array(found).view(np.float64).reshape(len(found), -1, 2)


def moved(count, speed_px):
    shifts = np.array([[speed_px * t / RATE, 0] for t in range(count)])
    return MEAN_FACE + shifts[:, None]


def test_the_first_points_and_still_ones_come_as_they_are():
    found = through([MEAN_FACE] * 5)
    np.testing.assert_allclose(found, [MEAN_FACE] * 5)


def test_unrest_of_a_still_face_is_reduced_four_times_and_more():
    rng = np.random.default_rng(0)
    noisy = MEAN_FACE + rng.normal(0, 0.3, size=(200, 15, 2))
    unrest = np.std(np.diff(noisy[50:], axis=0))
    assert np.std(np.diff(through(noisy)[50:], axis=0)) < unrest / 4
    assert np.std(through(noisy)[50:] - MEAN_FACE) < 0.3 / 2


@pytest.mark.parametrize("widths_a_second", [1, 9])
def test_a_face_in_motion_is_not_held_back(widths_a_second):
    speed = widths_a_second * 51.0
    points = moved(60, speed)
    behind = (points - through(points))[30:, :, 0] / (speed / RATE)  # frames
    assert behind.max() < 0.3


def test_a_turn_and_a_growth_keep_the_shape():
    points = [
        transform(similarity(1 + t / 90, t, (48.0, 48.0), (48.0 + t, 48.0)), MEAN_FACE)
        for t in range(60)
    ]
    found = through(points)
    assert np.abs(found - points).max() < 1.0


def test_a_mouth_that_opens_is_followed():
    points = np.repeat(MEAN_FACE[None], 40, axis=0)
    points[20:, BOTTOM, 1] += 12  # at once
    found = through(points)
    assert found[23, BOTTOM, 1] > MEAN_FACE[BOTTOM, 1] + 6
    assert found[39, BOTTOM, 1] > MEAN_FACE[BOTTOM, 1] + 10
    others = np.delete(np.arange(15), BOTTOM)
    assert np.abs(found[:, others] - MEAN_FACE[others]).max() < 1.5


def test_points_that_span_no_face_come_as_they_are():
    nowhere = np.full((15, 2), 5.0)
    np.testing.assert_array_equal(through([MEAN_FACE, nowhere, nowhere])[1:], [nowhere] * 2)
