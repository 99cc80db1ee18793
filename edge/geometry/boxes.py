"""Boxes `(x, y, width, height)` in px: intersections, their ratios, and squares.

Legend: M boxes, O other boxes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def io_min(first: ArrayLike, second: ArrayLike) -> float:
    """The area that two boxes `(4,)` share, as a part of the smaller one's, 0–1."""
    (*_, width, height), (*_, other_width, other_height) = (
        np.asarray(box, dtype=np.float64).tolist() for box in (first, second)
    )
    smaller = min(width * height, other_width * other_height)
    return float(intersection(first, second) / smaller) if smaller > 0 else 0.0


def pairwise_io_min(
    boxes: NDArray[np.floating], others: NDArray[np.floating]
) -> NDArray[np.float64]:
    """`io_min` of each box `(M, 4)` with each other `(O, 4)`: `(M, O)`, 0–1."""
    ours, theirs = (np.asarray(some, dtype=np.float64) for some in (boxes, others))
    area, other_area = (some[:, 2] * some[:, 3] for some in (ours, theirs))
    smaller = np.minimum(area[:, None], other_area)
    return np.asarray(pairwise_intersection(ours, theirs) / np.where(smaller > 0, smaller, np.inf))


def intersection(first: ArrayLike, second: ArrayLike) -> float:
    """The area that two boxes `(4,)` share, px²."""
    (x, y, width, height), (u, v, other_width, other_height) = (
        np.asarray(box, dtype=np.float64).tolist() for box in (first, second)
    )
    across = min(x + width, u + other_width) - max(x, u)
    down = min(y + height, v + other_height) - max(y, v)
    return float(max(across, 0.0) * max(down, 0.0))


def pairwise_intersection(
    boxes: NDArray[np.floating], others: NDArray[np.floating]
) -> NDArray[np.float64]:
    """The area that each box shares with each other, px², `(M, O)`."""
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
    shared = pairwise_intersection(boxes, others)
    area, other_area = (b[:, 2].astype(np.float64) * b[:, 3] for b in (boxes, others))
    return np.asarray(shared / np.maximum(area[:, None] + other_area - shared, 1e-9))


def enclosing_square(height: int, width: int) -> NDArray[np.float64]:
    """The smallest centred square that holds a whole picture, float64 `(4,)`."""
    return _square((width - 1) / 2, (height - 1) / 2, max(width, height))


def _square(centre_x: float, centre_y: float, side: float) -> NDArray[np.float64]:
    half = (side - 1) / 2
    return np.array([centre_x - half, centre_y - half, side, side], dtype=np.float64)
