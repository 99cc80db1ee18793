import numpy as np
import pytest

from edge.geometry.camera import Camera
from edge.geometry.head_fit import HeadPose, fit_head, project
from edge.geometry.head_shape import HEAD_MODES, MEAN_HEAD
from edge.keypoints import KEYPOINT_NAMES
from tests.edge.geometry.test_head_pose import rotation, seen

POSE = HeadPose(rotation(20, -30, 15), 12.0, np.array([3.0, 4.0]))


@pytest.mark.parametrize("camera", [Camera(), Camera(1 / 900, 0.0003)])
def test_the_derivatives_of_the_projection_are_those_of_differences(camera):
    step = 1e-5
    projection = project(POSE, camera)
    for i, change in enumerate(np.eye(6) * step):
        ahead, behind = (project(POSE.moved(sign * change), camera).points for sign in (1, -1))
        np.testing.assert_allclose(
            (ahead - behind) / (2 * step), projection.by_pose[:, i], atol=1e-6
        )
    further, nearer = (
        project(POSE, Camera(camera.inverse_focal + sign * 1e-8)).points for sign in (1, -1)
    )
    by_focal = (further - nearer) / 2e-8 * camera.deviation
    np.testing.assert_allclose(projection.modes[:, -1], by_focal, atol=1e-6)


def test_a_mode_moves_the_points_as_the_head_that_it_changes():
    turned = (MEAN_HEAD + HEAD_MODES[5]) @ POSE.rotation.T
    expected = (POSE.scale * turned[:, :2] + POSE.shift).ravel()
    projection = project(POSE)
    np.testing.assert_allclose(projection.points + projection.modes[:, 5], expected, atol=1e-9)


def test_scale_and_excess_of_the_mean_head():
    fit = fit_head(seen(MEAN_HEAD, rotation(5, 10, 15), scale=7.0), np.full(15, 0.5))
    assert fit.pose.scale == pytest.approx(7.0, rel=1e-4)
    assert fit.excess == 1
    np.testing.assert_allclose(fit.residual, 0, atol=1e-3)


def test_a_point_that_fits_no_head_makes_the_covariance_larger():
    points = seen(MEAN_HEAD, np.eye(3), scale=10.0)
    points[KEYPOINT_NAMES.index("left_eye_center")] += (25, 0)
    assert fit_head(points, np.full(15, 1.0)).excess > 2
    assert fit_head(points, np.full(15, 20.0)).excess == 1


def test_a_point_with_a_large_error_hardly_counts():
    points = seen(MEAN_HEAD, np.eye(3), scale=10.0)
    points[KEYPOINT_NAMES.index("nose_tip")] += (30, 0)
    deviation = np.full(15, 1.0)
    deviation[KEYPOINT_NAMES.index("nose_tip")] = 1000.0
    np.testing.assert_allclose(fit_head(points, deviation).pose.rotation, np.eye(3), atol=1e-3)


def test_any_points_give_a_pose_or_none():
    rng = np.random.default_rng(0)
    for scale in (1e-3, 1.0, 1e3):
        for _ in range(20):
            fit = fit_head(rng.uniform(-scale, scale, (15, 2)), np.full(15, 0.1 * scale))
            turn = fit.pose.rotation
            np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-6)
            assert np.isfinite(fit.covariance).all()
    assert fit_head(np.full((15, 2), 5.0), np.ones(15)) is None
    assert fit_head(np.full((15, 2), np.inf), np.ones(15)) is None


def test_residual_and_projection_are_those_of_the_pose():
    rng = np.random.default_rng(4)
    camera = Camera(1 / 900)
    for angles in ((0, 0, 0), (-140, 30, 10), (20, -50, 15)):
        points = seen(MEAN_HEAD, rotation(*angles), 9.0) + rng.normal(0, 1.5, (15, 2))
        fit = fit_head(points, np.full(15, 1.0), camera)
        left = points.ravel() - fit.projection.points
        np.testing.assert_allclose(fit.residual, left, atol=0.02)  # px
        # No small change of the pose fits better.
        gain = fit.covariance @ fit.projection.by_pose.T
        variance = fit.projection.modes @ fit.projection.modes.T + np.diag(fit.noise)
        step = gain @ np.linalg.solve(variance, left)
        assert np.abs(step[:3]).max() < 0.02
