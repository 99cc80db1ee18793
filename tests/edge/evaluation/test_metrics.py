import numpy as np
import pytest

from edge.evaluation.metrics import (
    area_under_curve,
    distances,
    normalised_mean_error,
    rmse,
    rmse_per_keypoint,
    share_inside,
)
from edge.keypoints import KEYPOINT_NAMES


@pytest.fixture
def true(rng):
    return rng.uniform(0, 96, size=(5, 15, 2))


def test_rmse_is_per_coordinate(true):
    assert rmse(true + np.array([3.0, 0.0]), true) == pytest.approx(3 / np.sqrt(2))


def test_missing_labels_count_nowhere(true):
    predicted = true + 2.0
    true[0, 3] = np.nan
    true[1] = np.nan
    predicted[0, 3] = 1e9
    assert rmse(predicted, true) == pytest.approx(2.0)
    np.testing.assert_allclose(rmse_per_keypoint(predicted, true), 2.0)
    assert np.isnan(distances(predicted, true)[1]).all()


def test_rmse_of_nothing_is_nan(true):
    assert np.isnan(rmse(true, np.full_like(true, np.nan)))


def test_shapes_must_agree(true):
    with pytest.raises(ValueError, match=r"\(5, 15, 2\) and \(4, 15, 2\)"):
        rmse(true, true[:4])


def test_normalised_mean_error_is_in_outer_eye_distances(true):
    left, right = (KEYPOINT_NAMES.index(f"{s}_eye_outer_corner") for s in ("left", "right"))
    true[:, left], true[:, right] = [70, 40], [20, 40]
    predicted = true + np.array([0.0, 5.0])
    true[0, left] = np.nan
    error = normalised_mean_error(predicted, true)
    assert np.isnan(error[0])
    np.testing.assert_allclose(error[1:], 0.1)


def test_share_inside_counts_labelled_points_within_the_radius(true):
    predicted = true + np.array([1.0, 0.0])
    radius = np.full((5, 15), 0.9)
    radius[:2] = 1.1
    true[0] = np.nan
    np.testing.assert_allclose(share_inside(radius, predicted, true), 0.25)


def test_radii_of_another_shape_are_refused(true):
    for shape in ((5,), (15,), (5, 1), (1, 15), ()):
        with pytest.raises(ValueError, match=r"radius has the shape .*; expected \(5, 15\)"):
            share_inside(np.ones(shape), true, true)


def test_the_area_under_the_curve_counts_pairs():
    assert area_under_curve(np.array([0.9, 0.8]), np.array([0.1, 0.2])) == 1
    assert area_under_curve(np.array([0.9, 0.4]), np.array([0.5, 0.1])) == 0.75
    assert area_under_curve(np.array([0.9, 0.1]), np.array([0.5, 0.5])) == 0.5
    assert area_under_curve(np.array([0.5]), np.array([0.5])) == 0.5
