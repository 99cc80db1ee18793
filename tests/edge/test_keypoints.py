import numpy as np

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
