import numpy as np
import pytest

from edge.geometry.face_frame import MEAN_FACE
from edge.geometry.head_pose import MEAN_HEAD, head_pose
from edge.keypoints import KEYPOINT_NAMES, MIRROR_ORDER

SYMMETRIC = (MEAN_FACE + (np.array([95, 0]) + MEAN_FACE[list(MIRROR_ORDER)] * [-1, 1])) / 2


def turned_head(roll=0.0, yaw=0.0, pitch=0.0, scale=50.0):
    """The mean head turned by degrees and seen from far away, `(15, 2)` px."""
    r, y, p = np.radians([roll, yaw, pitch])
    # x right, y down, z away: the face, looking along −z, turns up, to the right, in the plane.
    around_y = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    around_x = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    in_plane = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return (MEAN_HEAD @ (in_plane @ around_y @ around_x).T)[:, :2] * scale + 100


@pytest.mark.parametrize(
    "pose", [(0, 0, 0), (30, 0, 0), (0, 25, 0), (0, 0, -20), (30, 0, 15), (-20, 30, 0)]
)
def test_a_rotated_head_has_the_pose_it_was_rotated_to(pose):
    np.testing.assert_allclose(head_pose(turned_head(*pose)), pose, atol=1e-6)


def test_a_nose_further_right_in_the_image_is_a_yaw_to_the_right_and_a_higher_one_a_pitch_upwards():
    nose = KEYPOINT_NAMES.index("nose_tip")
    for axis, sign, which in ((0, 1, 1), (1, -1, 2)):
        points = SYMMETRIC.copy()
        points[nose, axis] += sign * 6
        assert head_pose(points)[which] > head_pose(SYMMETRIC)[which] + 3
