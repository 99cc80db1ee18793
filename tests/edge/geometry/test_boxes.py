import numpy as np
import pytest

from edge.geometry.boxes import (
    intersection,
    intersection_over_union,
    io_min,
    pairwise_intersection,
    pairwise_io_min,
)


def test_a_box_without_area_has_no_io_min():
    boxes = np.array([[0, 0, 0, 5], [0, 0, 10, 10]], float)
    assert io_min(boxes[0], boxes[1]) == 0
    np.testing.assert_array_equal(pairwise_io_min(boxes, boxes), [[0, 0], [0, 1]])


def test_io_min_is_relative_to_the_smaller_box():
    assert io_min([0, 0, 10, 10], [5, 0, 10, 10]) == pytest.approx(0.5)
    assert io_min([0, 0, 10, 10], [2, 2, 4, 4]) == pytest.approx(1)
    others = np.array([[5, 0, 10, 10], [2, 2, 4, 4], [20, 0, 1, 1]])
    np.testing.assert_allclose(pairwise_io_min(np.array([[0, 0, 10, 10]]), others), [[0.5, 1, 0]])
    assert pairwise_io_min(others, np.empty((0, 4))).shape == (3, 0)
    assert io_min([0, 0, 10, 10], [20, 0, 4, 4]) == 0


def test_intersection_is_the_common_area_in_pixels():
    boxes = np.array([[0, 0, 10, 10], [5, 5, 10, 10], [10, 0, 5, 5]], float)
    expected = [[100, 25, 0], [25, 100, 0], [0, 0, 25]]
    np.testing.assert_array_equal(pairwise_intersection(boxes, boxes), expected)
    for i, first in enumerate(boxes):
        assert [intersection(first, second) for second in boxes] == expected[i]


def test_intersection_over_union_of_known_boxes():
    boxes = np.array([[0, 0, 10, 10]], float)
    others = np.array([[0, 0, 10, 10], [5, 0, 10, 10], [2, 2, 5, 5], [20, 20, 1, 1]], float)
    found = intersection_over_union(boxes, others)
    np.testing.assert_allclose(found, [[1, 50 / 150, 0.25, 0]])
