"""Boxes of other detectors and data sets, converted to the convention of `edge`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.geometry.box_checks import check_box_shape


def from_wider_face(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert boxes of a detector trained on WIDER FACE, such as YuNet, to our convention.

    By the medians over 2,843 training faces that YuNet and a person had marked: its box is 0.96
    times as wide and 1.11 times as high as the hand-drawn one, its centre 0.125 of that one's
    height further up. Ours lies half-way between the two.

    Args:
        boxes: float32 `(M, 4)`: x, y, width, height, px.

    Returns:
        float32 `(M, 4)`, likewise.

    Raises:
        ValueError: the boxes have another shape, such as YuNet's rows of 15 numbers.
    """
    check_box_shape(boxes)
    return rescale_boxes(boxes, width=1.02, height=0.95, down=0.056)


def rescale_boxes(
    boxes: NDArray[np.float32], width: float, height: float, down: float
) -> NDArray[np.float32]:
    """Boxes `(M, 4)` with sides multiplied, and moved down by a share of their height."""
    size = boxes[:, 2:] * np.array([width, height], np.float32)
    corner = boxes[:, :2] + (boxes[:, 2:] - size) / 2
    corner[:, 1] += down * boxes[:, 3]
    return np.concatenate([corner, size], axis=1)
