import numpy as np
import pytest

from edge.geometry.box_checks import check_boxes
from edge.geometry.boxes import (
    intersection,
    intersection_over_union,
    io_min,
    pairwise_intersection,
    pairwise_io_min,
)
from edge.networks.whole_image import enclosing_square


def test_the_square_around_an_image_encloses_it():
    np.testing.assert_allclose(enclosing_square(50, 100), [0, -25, 100, 100])


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


@pytest.mark.parametrize(
    "shape", [(4,), (1, 5), (4, 5), (4, 15), (4, 2), (0, 5), (8,), (1, 1, 4), (4, 4, 1), ()]
)
def test_boxes_of_another_shape_are_refused_and_never_taken_apart(shape):
    with pytest.raises(ValueError, match=r"boxes must have the shape \(M, 4\)"):
        check_boxes(np.full(shape, 50.0))


def test_rows_of_different_lengths_and_words_are_refused():
    for boxes in ([[1, 2, 3, 4], [1, 2, 3]], [["a", "b", "c", "d"]], [None], "box", {"x": 1}):
        with pytest.raises(ValueError, match="boxes must"):
            check_boxes(boxes)


@pytest.mark.parametrize(
    "box",
    [
        (0, 0, 1e12, 1e12), (0, 0, 1e38, 1e38), (1e300, 0, 5, 5), (-1e9, 0, 5, 5),
        (0, 0, 0, 5), (0, 0, 5, -1), (np.nan, 0, 5, 5), (0, 0, np.inf, 5),
    ],
)  # fmt: skip
def test_absurd_boxes_are_refused(box):
    with pytest.raises(ValueError, match="a box must"):
        check_boxes([box])


def test_boxes_in_order_are_float32_of_the_same_values():
    boxes = check_boxes([[1, 2, 3, 4], [-5.5, 6, 1e7, 8]])
    assert boxes.dtype == np.float32
    assert boxes.tolist() == [[1, 2, 3, 4], [-5.5, 6, 1e7, 8]]
    assert check_boxes([]).shape == (0, 4)
    assert check_boxes(np.empty((0, 4))).shape == (0, 4)
