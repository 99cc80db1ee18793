import numpy as np

from edge.geometry.points68 import COUNT_68, MIRROR_ORDER_68


def test_mirroring_the_68_points_twice_restores_their_order():
    order = np.array(MIRROR_ORDER_68)
    assert (order[order] == np.arange(COUNT_68)).all()


def test_counterparts_among_the_68_points_are_exchanged_and_the_midline_stays():
    pairs = {0: 16, 17: 26, 31: 35, 36: 45, 39: 42, 40: 47, 48: 54, 60: 64}
    assert {point: MIRROR_ORDER_68[point] for point in pairs} == pairs
    midline = [8, *range(27, 31), 33, 51, 57, 62, 66]
    assert [i for i in range(COUNT_68) if MIRROR_ORDER_68[i] == i] == midline
