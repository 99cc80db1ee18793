"""Boxes `(x, y, width, height)` in px: intersections, their ratios, and squares.

Legend: M boxes, O other boxes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

MAX_COORDINATE = 2.0**24  # px; beyond it float32 holds no whole pixels


def check_boxes(boxes: ArrayLike) -> NDArray[np.float32]:
    """Boxes as they are given, as float32 `(M, 4)`.

    Args:
        boxes: `(M, 4)`: x, y, width, height, px; an empty list is no boxes.

    Raises:
        ValueError: they have another shape, or one has no area, is not finite, or reaches further
            than `MAX_COORDINATE`.
    """
    try:
        numbers = np.asarray(boxes, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"boxes must be numbers of shape (M, 4): {error}") from error
    if numbers.shape == (0,):
        return np.empty((0, 4), np.float32)
    check_box_shape(numbers)
    if not (np.isfinite(numbers).all() and (numbers[:, 2:] > 0).all()):
        raise ValueError("a box must be four numbers: x, y, and a width and height above 0")
    if (np.abs(numbers) > MAX_COORDINATE).any():
        raise ValueError(
            f"a box must lie within {MAX_COORDINATE:,.0f} px, received {np.abs(numbers).max():g}"
        )
    return numbers.astype(np.float32)


def check_box_shape(boxes: NDArray[np.floating]) -> None:
    """Raise ValueError unless boxes have the shape `(M, 4)`."""
    if np.ndim(boxes) != 2 or np.shape(boxes)[1] != 4:
        raise ValueError(
            "boxes must have the shape (M, 4): x, y, width, height; "
            f"received the shape {np.shape(boxes)}"
        )


def io_min(first: ArrayLike, second: ArrayLike) -> float:
    """Intersection over the smaller area (IoMin) of two boxes `(4,)`, 0–1."""
    (*_, width, height), (*_, other_width, other_height) = (
        box if isinstance(box, tuple) else np.asarray(box, dtype=np.float64).tolist()
        for box in (first, second)
    )
    smaller = min(width * height, other_width * other_height)
    return float(intersection(first, second) / smaller) if smaller > 0 else 0.0


def pairwise_io_min(
    boxes: NDArray[np.floating], others: NDArray[np.floating]
) -> NDArray[np.float64]:
    """`io_min` of each box `(M, 4)` with each other `(O, 4)`: `(M, O)`, 0–1."""
    first = np.asarray(boxes, dtype=np.float64)
    second = np.asarray(others, dtype=np.float64)
    smaller = np.minimum((first[:, 2] * first[:, 3])[:, None], second[:, 2] * second[:, 3])
    return np.asarray(pairwise_intersection(first, second) / np.where(smaller > 0, smaller, np.inf))


def intersection(first: ArrayLike, second: ArrayLike) -> float:
    """Intersection of two boxes `(4,)`, px²."""
    (x, y, width, height), (u, v, other_width, other_height) = (
        box if isinstance(box, tuple) else np.asarray(box, dtype=np.float64).tolist()
        for box in (first, second)
    )
    inner_width = min(x + width, u + other_width) - max(x, u)
    inner_height = min(y + height, v + other_height) - max(y, v)
    return float(max(inner_width, 0.0) * max(inner_height, 0.0))


def pairwise_intersection(
    boxes: NDArray[np.floating], others: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Intersection of each box `(M, 4)` with each other `(O, 4)`: `(M, O)`, px²."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(
        boxes[:, None, :2] + boxes[:, None, 2:], others[None, :, :2] + others[None, :, 2:]
    )
    sides = np.maximum(high - low, 0.0)
    return np.asarray(sides[..., 0] * sides[..., 1], dtype=np.float64)


def intersection_over_union(
    boxes: NDArray[np.floating], others: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Intersection over union of each box `(M, 4)` with each other `(O, 4)`: `(M, O)`, 0–1."""
    intersections = pairwise_intersection(boxes, others)
    area, other_area = (b[:, 2].astype(np.float64) * b[:, 3] for b in (boxes, others))
    return np.asarray(intersections / np.maximum(area[:, None] + other_area - intersections, 1e-9))


def enclosing_square(height: int, width: int) -> NDArray[np.float64]:
    """The smallest centred square that encloses an image, float64 `(4,)` px."""
    return _square((width - 1) / 2, (height - 1) / 2, max(width, height))


def _square(centre_x: float, centre_y: float, side: float) -> NDArray[np.float64]:
    half = (side - 1) / 2
    return np.array([centre_x - half, centre_y - half, side, side], dtype=np.float64)
