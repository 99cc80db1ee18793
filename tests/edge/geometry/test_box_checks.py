import numpy as np
import pytest

from edge.geometry.box_checks import check_boxes


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


@pytest.mark.parametrize(
    "boxes",
    [
        np.array([[1, 2, 3, 4j]]),
        np.ones((2, 4), bool),
        np.ma.array([[1.0, 2, 3, 4]], mask=[[1, 0, 0, 0]]),
    ],
)
def test_complex_boolean_and_masked_boxes_are_refused(boxes):
    with pytest.raises(ValueError, match="must be real numbers"):
        check_boxes(boxes)
