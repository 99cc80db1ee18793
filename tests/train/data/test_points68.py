import numpy as np

from train.data.points68 import COUNT, JAW, MIRROR_ORDER_68


def test_mirroring_twice_restores_the_order():
    order = np.array(MIRROR_ORDER_68)
    np.testing.assert_array_equal(order[order], np.arange(COUNT))


def test_left_and_right_counterparts_are_exchanged():
    pairs = {0: 16, 17: 26, 31: 35, 36: 45, 39: 42, 40: 47, 48: 54, 60: 64}
    assert {point: MIRROR_ORDER_68[point] for point in pairs} == pairs


def test_points_of_the_midline_are_their_own_counterparts():
    midline = [8, *range(27, 31), 33, 51, 57, 62, 66]
    assert [i for i in range(COUNT) if MIRROR_ORDER_68[i] == i] == midline
    assert len(JAW) == 17
