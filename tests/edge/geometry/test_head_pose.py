import numpy as np
import pytest

from edge.geometry.camera import Camera
from edge.geometry.head_fit import fit_head
from edge.geometry.head_pose import angles_deg, deviations_deg, head_pose, yaw_and_pitch_deg
from edge.geometry.head_shape import HEAD_MODES, MEAN_68, MEAN_HEAD
from edge.keypoints import KEYPOINT_NAMES, MIRROR_ORDER

ANGLES = [(0, 0, 0), (30, 0, 0), (0, 25, 0), (0, 0, -20), (30, 0, 15), (-170, 30, 0), (15, -60, 25)]


def rotation(roll=0.0, yaw=0.0, pitch=0.0):
    """From a head that looks at the camera to one that is turned by degrees."""
    r, y, p = np.radians([roll, yaw, pitch])
    # x right, y down, z away: the face, looking along −z, turns up, to the right, in the plane.
    around_y = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    around_x = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    in_plane = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return in_plane @ around_y @ around_x


def seen(head, turn, scale=12.0, distance=np.inf):
    """A head `(15, 3)` cm, turned, from a camera at a distance in cm: `(15, 2)` px."""
    turned = (head - head.mean(axis=0)) @ turn.T
    return scale * turned[:, :2] / (1 + turned[:, 2:] / distance) + 100


@pytest.mark.parametrize("angles", ANGLES)
def test_the_mean_head_has_the_pose_it_was_turned_to(angles):
    points = seen(MEAN_HEAD, rotation(*angles))
    np.testing.assert_allclose(head_pose(points), angles, atol=0.01)


@pytest.mark.parametrize("angles", ANGLES)
def test_points_of_the_68_point_scheme_give_the_same_pose(angles):
    points = seen(MEAN_68, rotation(*angles))
    exact = fit_head(points, np.zeros(15))
    assert np.abs(head_pose(points) - angles).max() < 1.0
    assert np.linalg.norm(exact.pose.rotation - rotation(*angles)) < np.radians(0.5)


def test_leading_axes_are_kept_and_points_that_span_no_face_have_no_pose():
    face = seen(MEAN_HEAD, rotation(0, 10, 0))
    poses = head_pose(np.stack([[face, np.full((15, 2), 7.0)], [face * np.nan, face]]))
    assert poses.shape == (2, 2, 3)
    np.testing.assert_allclose(poses[[0, 1], [0, 1]], [[0, 10, 0]] * 2, atol=0.01)
    assert np.isnan(poses[[0, 1], [1, 0]]).all()


def test_a_nose_further_right_in_the_image_is_a_yaw_to_the_right_and_a_higher_one_a_pitch_upwards():
    nose = KEYPOINT_NAMES.index("nose_tip")
    for axis, sign, which in ((0, 1, 1), (1, -1, 2)):
        points = seen(MEAN_HEAD, np.eye(3))
        points[nose, axis] += sign * 6
        assert head_pose(points)[which] > 3


def test_a_mirrored_face_has_opposite_roll_and_yaw():
    points = seen(MEAN_HEAD, rotation(10, 20, -5)) + np.random.default_rng(1).normal(0, 2, (15, 2))
    mirrored = points[list(MIRROR_ORDER)] * [-1, 1]
    np.testing.assert_allclose(head_pose(mirrored), head_pose(points) * [-1, -1, 1], atol=1e-6)


@pytest.mark.parametrize("angles", ANGLES)
def test_a_near_camera_whose_focal_length_is_known_does_not_change_the_pose(angles):
    focal = 700.0
    distance = 35.0  # cm
    points = seen(MEAN_HEAD, rotation(*angles), focal / distance, distance)
    np.testing.assert_allclose(head_pose(points, Camera(1 / focal)), angles, atol=0.02)


def test_a_near_camera_that_is_taken_for_a_far_one_turns_a_head_further():
    points = seen(MEAN_HEAD, rotation(0, 45, 0), distance=35.0)
    assert head_pose(points)[1] > 47


def random_head(rng):
    return MEAN_HEAD + np.tensordot(rng.normal(size=len(HEAD_MODES)), HEAD_MODES, axes=1)


@pytest.mark.parametrize("noise", [0.0, 1.5])
def test_half_of_the_poses_of_random_heads_are_off_by_no_more_than_the_probable_error(noise):
    rng = np.random.default_rng(5)
    apart = []
    for _ in range(400):
        angles = rng.uniform(-1, 1, 3) * (180, 50, 30)
        points = seen(random_head(rng), rotation(*angles), scale=10.0)
        fit = fit_head(points + rng.normal(0, noise, (15, 2)), np.full(15, noise))
        turn = rotation(*angles).T @ fit.pose.rotation
        assert np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))) < 25
        found = np.degrees(euler(fit.pose.rotation))
        apart.append(np.abs((found - angles + 180) % 360 - 180) / deviations_deg(fit))
    within = (np.array(apart) < 0.6745).mean(axis=0)
    np.testing.assert_allclose(within, 0.5, atol=0.075)  # three standard errors of 400


def euler(matrix):
    """Roll, yaw and pitch of `rotation`'s product, radians."""
    yaw = np.arcsin(np.clip(matrix[2, 0], -1, 1))
    return np.array(
        [
            np.arctan2(matrix[1, 0], matrix[0, 0]),
            yaw,
            np.arctan2(-matrix[2, 1], matrix[2, 2]),
        ]
    )


def test_yaw_and_pitch_alone_are_those_of_all_angles():
    points = seen(MEAN_HEAD, rotation(15, -40, 20)) + np.random.default_rng(2).normal(0, 1, (15, 2))
    fit = fit_head(points, np.full(15, 1.0))
    angles, deviations = yaw_and_pitch_deg(fit)
    np.testing.assert_allclose(angles, angles_deg(fit)[1:])
    np.testing.assert_allclose(deviations, deviations_deg(fit)[1:])
