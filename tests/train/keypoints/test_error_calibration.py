import numpy as np
import pytest

from edge.geometry.face_frame import MEAN_FACE
from edge.keypoints import MIRROR_ORDER
from tests.made_faces import make_labelled_faces
from train.keypoints.error_calibration import ErrorScale, fit_scale, mild_crops


def test_scaled_errors_contain_half_and_nine_tenths_of_the_points(rng):
    error = rng.uniform(1, 3, (4000, 15))
    distance = error * rng.exponential(1.0, (4000, 15))
    scale = fit_scale(error, distance)
    # Quantiles of the exponential distribution: ln 2 and ln 10.
    np.testing.assert_allclose(scale.p50, np.log(2), atol=0.06)
    np.testing.assert_allclose(scale.p90, np.log(10), atol=0.2)


def test_the_quantile_is_the_conformal_one():
    distance = np.repeat(np.arange(1.0, 10.0)[:, None], 15, axis=1)
    scale = fit_scale(np.ones((9, 15)), distance)
    # 18 ratios with the mirrored ones: ranks ⌈19 · 0.5⌉ = 10 and ⌈19 · 0.9⌉ = 18.
    assert scale.p50[0] == 5
    assert scale.p90[0] == 9


def test_counterparts_share_a_factor_and_unlabelled_points_have_1(rng):
    distance = rng.uniform(1, 5, (20, 15))
    distance[:, 10] = np.nan
    scale = fit_scale(np.ones((20, 15)), distance)
    np.testing.assert_array_equal(scale.p50, scale.p50[list(MIRROR_ORDER)])
    assert scale.p50[10] == 1


def test_error90_is_the_ratio_of_the_factors():
    scale = ErrorScale(np.full(15, 2.0), np.full(15, 5.0))
    assert scale.error90 == [2.5] * 15


def test_mild_crops_show_each_real_face_three_times_about_the_centre(rng):
    faces = make_labelled_faces(40, rng)
    faces.turned[:10] = True
    crops, keypoints = mild_crops(faces, rng)
    assert crops.shape == (90, 96, 96)
    centre = keypoints.mean(axis=(0, 1))
    assert centre == pytest.approx(np.mean(MEAN_FACE, axis=0), abs=1.5)
