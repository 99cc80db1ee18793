"""Boxes `(M, 4)`, x, y, width, height in px, in the convention of `edge.geometry.face_frame`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.geometry.affine import Matrix, rotation_deg, scale_of, transform
from edge.geometry.box_conventions import rescale_boxes


def from_hand_drawn(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert hand-drawn boxes `(M, 4)` to the package's convention (cf. `from_wider_face`)."""
    return rescale_boxes(boxes, width=0.98, height=1.055, down=-0.062)


def move_boxes(boxes: NDArray[np.float32], matrix: Matrix) -> NDArray[np.float32]:
    """Transform boxes `(M, 4)` by a similarity `(2, 3)`.

    The boxes stay axis-aligned: width and height are interpolated towards each other's value by the
    squared sine of the rotation.
    """
    if not len(boxes):
        return boxes.reshape(0, 4)
    centre = transform(matrix, boxes[:, :2] + (boxes[:, 2:] - 1) / 2)
    swap = np.sin(np.radians(rotation_deg(matrix))) ** 2
    size = boxes[:, 2:] * (1 - swap) + boxes[:, :1:-1] * swap
    size = size * scale_of(matrix)
    return np.concatenate([centre - (size - 1) / 2, size], axis=1).astype(np.float32)


def sizes_of(boxes: NDArray[np.floating]) -> NDArray[np.float64]:
    """The size of each box `(M, 4)`: the side of a square of the same area, `(M,)` px."""
    return np.sqrt(np.maximum(boxes[:, 2] * boxes[:, 3], 0.0), dtype=np.float64)
