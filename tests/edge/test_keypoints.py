import numpy as np

from edge.geometry.points68 import COUNT_68, MIRROR_ORDER_68
from edge.keypoints import KEYPOINT_NAMES, MIRROR_ORDER, mirrored_name


def test_names_are_kaggles_in_kaggles_order():
    assert len(KEYPOINT_NAMES) == 15
    assert KEYPOINT_NAMES[0] == "left_eye_center"
    assert KEYPOINT_NAMES[10] == "nose_tip"
    assert KEYPOINT_NAMES[14] == "mouth_center_bottom_lip"


def test_mirroring_swaps_left_and_right_and_keeps_the_middle():
    assert mirrored_name("left_eye_inner_corner") == "right_eye_inner_corner"
    assert mirrored_name("mouth_right_corner") == "mouth_left_corner"
    assert mirrored_name("nose_tip") == "nose_tip"
    order = np.array(MIRROR_ORDER)
    assert order.tolist() == [1, 0, 4, 5, 2, 3, 8, 9, 6, 7, 10, 12, 11, 13, 14]
    assert (order[order] == np.arange(15)).all()


def test_mirroring_the_68_points_twice_restores_their_order():
    order = np.array(MIRROR_ORDER_68)
    assert (order[order] == np.arange(COUNT_68)).all()


def test_counterparts_among_the_68_points_are_exchanged_and_the_midline_stays():
    pairs = {0: 16, 17: 26, 31: 35, 36: 45, 39: 42, 40: 47, 48: 54, 60: 64}
    assert {point: MIRROR_ORDER_68[point] for point in pairs} == pairs
    midline = [8, *range(27, 31), 33, 51, 57, 62, 66]
    assert [i for i in range(COUNT_68) if MIRROR_ORDER_68[i] == i] == midline
