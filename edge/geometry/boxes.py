"""Boxes `(x, y, width, height)` in px: intersections and their ratios.

Legend: M boxes, O other boxes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


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
