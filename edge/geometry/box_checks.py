"""Checks of boxes that a caller gives."""

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
        kind = np.asarray(boxes).dtype.kind
        numbers = np.asarray(boxes, dtype=None if kind in "bc" else np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"boxes must be numbers of shape (M, 4): {error}") from error
    if kind in "bc" or np.ma.is_masked(boxes):
        raise ValueError("boxes must be real numbers, received complex, masked or boolean ones")
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
