import numpy as np
import pytest

from edge.fusion import fused_box, fused_score, min_detector_score
from edge.geometry.face_frame import MEAN_FACE, box_of_keypoints


def test_in_the_score_the_detector_counts_twice():
    assert fused_score(0.8, 0.1) == pytest.approx((0.8 * 0.8 * 0.1) ** (1 / 3))
    assert fused_score(None, 0.3) == 0.3


def test_below_its_least_score_nothing_saves_a_box():
    least = min_detector_score(0.5)
    assert fused_score(least, 1.0) == pytest.approx(0.5)
    assert fused_score(least * 0.99, 1.0) < 0.5


def test_in_the_box_the_detector_counts_three_times():
    box = np.array([0, 10, 60, 100], np.float32)
    keypoints_box = np.array([7.6, 3.0, 80.6, 101.8])  # of the mean face, a square of 96 px
    joint = fused_box(box, box_of_keypoints(MEAN_FACE))
    assert joint.dtype == np.float32
    np.testing.assert_allclose(joint, (3 * box + keypoints_box) / 4, atol=0.3)
