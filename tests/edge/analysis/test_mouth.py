import numpy as np
import pytest

from edge.analysis.mouth import lip_opening
from edge.face import Face


def face(gap, points68=True, error=1.0):
    """A face whose inner mouth is 40 px wide, with a gap between its lips in px."""
    points = np.zeros((68, 2), np.float32)
    points[60], points[64] = (100, 200), (140, 200)
    for upper, lower, x in ((61, 67, 110), (62, 66, 120), (63, 65, 130)):
        points[upper], points[lower] = (x, 200 - gap / 2), (x, 200 + gap / 2)
    return Face(
        np.zeros(4, np.float32), 1.0, np.zeros((15, 2), np.float32),
        np.full(15, error, np.float32), points68=points if points68 else None,
    )  # fmt: skip


def test_the_opening_is_the_gap_over_the_width():
    assert lip_opening(face(20)).value == pytest.approx(0.5)
    assert lip_opening(face(0)).value == 0
    assert lip_opening(face(-4)).value == 0  # lips that cross are closed


def test_a_turned_mouth_is_as_open():
    upright = face(20)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]], np.float32)
    turned = Face(upright.box, 1.0, upright.keypoints, upright.error,
                  points68=upright.points68 @ turn.T)  # fmt: skip
    assert lip_opening(turned).value == pytest.approx(0.5)


def test_the_error_is_that_of_both_lips():
    # Two independent normal deviations of 1 / 1.1774 px, over 40 px.
    expected = 0.6745 * np.sqrt(2) / 1.1774 / 40
    assert lip_opening(face(20)).error == pytest.approx(expected)


def test_there_is_none_without_the_68_points():
    assert lip_opening(face(20, points68=False)) is None


def test_there_is_none_where_the_corners_coincide():
    flat = face(20)
    flat.points68[64] = flat.points68[60]
    assert lip_opening(flat) is None
