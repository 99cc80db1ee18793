"""Boxes, affine matrices and the one way a point moves between picture and crop.

A matrix is float64 `(2, 3)`; it maps a point `(x, y)` by `matrix[:, :2] @ (x, y) + matrix[:, 2]`,
in pixels with centres at integers (see `edge.keypoints`). Legend: N points, M boxes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Matrix = NDArray[np.float64]


def transform(matrix: Matrix, points: ArrayLike) -> NDArray[np.float64]:
    """Map points by an affine matrix.

    Args:
        matrix: float64 `(2, 3)`.
        points: `(…, 2)`, x and y in pixels of the source frame.

    Returns:
        float64 of the same shape, in pixels of the target frame.
    """
    return np.asarray(points, dtype=np.float64) @ matrix[:, :2].T + matrix[:, 2]


def invert(matrix: Matrix) -> Matrix:
    """The matrix that undoes `matrix`, float64 `(2, 3)`."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])


def compose(second: Matrix, first: Matrix) -> Matrix:
    """The matrix that applies `first` and then `second`, float64 `(2, 3)`."""
    return np.column_stack([second[:, :2] @ first[:, :2], transform(second, first[:, 2])])


def scale_of(matrix: Matrix) -> float:
    """The factor by which `matrix` lengthens distances (for unequal axes, their geometric mean)."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))


def turn_of(matrix: Matrix) -> float:
    """The angle by which `matrix`, a similarity, turns: degrees, clockwise as seen."""
    return float(np.rad2deg(np.arctan2(matrix[1, 0], matrix[0, 0])))


def similarity(
    scale: float, angle_deg: float, source: tuple[float, float], target: tuple[float, float]
) -> Matrix:
    """Scale and turn about a point, and move that point.

    Args:
        scale: target pixels per source pixel.
        angle_deg: turn in degrees, clockwise as seen (y points down).
        source: the fixed point in the source frame, px.
        target: where it goes in the target frame, px.

    Returns:
        float64 `(2, 3)`.
    """
    angle = np.deg2rad(angle_deg)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([linear, np.asarray(target) - linear @ np.asarray(source)])


def lay_over(points: NDArray[np.floating], others: NDArray[np.floating]) -> Matrix | None:
    """Lay points over others: the similarity of least squares (Umeyama, 1991).

    Args:
        points: `(N, 2)` px.
        others: `(N, 2)` px of another frame.

    Returns:
        float64 `(2, 3)` from the points' frame to the others'; None where either lie in one place.
    """
    # A similarity of the plane is one complex factor and one complex offset.
    a, b = (np.asarray(some, dtype=np.float64) @ np.array([1, 1j]) for some in (points, others))
    centred = a - a.mean()
    spread = np.vdot(centred, centred).real
    factor = np.vdot(centred, b - b.mean()) / spread if spread > 0 else 0j
    if not abs(factor) > 0:
        return None
    offset = b.mean() - factor * a.mean()
    return np.array(
        [[factor.real, -factor.imag, offset.real], [factor.imag, factor.real, offset.imag]]
    )


def shared_part(first: ArrayLike, second: ArrayLike) -> float:
    """The area that two boxes `(4,)` share, as a part of the smaller one's, 0–1."""
    smaller = min(np.prod(np.asarray(box, dtype=np.float64)[2:]) for box in (first, second))
    return float(shared_area(first, second) / smaller)


def shared_area(first: ArrayLike, second: ArrayLike) -> float:
    """The area that two boxes `(4,)` share, px²."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[:2] + a[2:], b[:2] + b[2:])
    return float(np.prod(np.maximum(high - low, 0)))


def overlap(boxes: NDArray[np.floating], others: NDArray[np.floating]) -> NDArray[np.float64]:
    """The area that each box shares with each other, px², `(M, O)`."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(
        boxes[:, None, :2] + boxes[:, None, 2:], others[None, :, :2] + others[None, :, 2:]
    )
    return np.asarray(np.prod(np.maximum(high - low, 0.0), axis=2), dtype=np.float64)


def intersection_over_union(
    boxes: NDArray[np.floating], others: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Intersection over union of each box `(M, 4)` with each other `(O, 4)`: `(M, O)`, 0–1."""
    shared = overlap(boxes, others)
    area, other_area = (np.prod(b[:, 2:], axis=1, dtype=np.float64) for b in (boxes, others))
    return np.asarray(shared / np.maximum(area[:, None] + other_area - shared, 1e-9))


def whole_picture(height: int, width: int) -> NDArray[np.float64]:
    """The smallest centred square that holds a whole picture, float64 `(4,)`."""
    return _square((width - 1) / 2, (height - 1) / 2, max(width, height))


def crop_matrix(square: ArrayLike, size: int) -> Matrix:
    """The matrix from the picture to a `size`×`size` px crop of `square` (x, y, side, side)."""
    x, y, side, _ = np.asarray(square, dtype=np.float64)
    scale = size / side
    # A square that starts at pixel x starts at the edge x − 0.5; the crop's first edge is −0.5 too.
    return np.array(
        [[scale, 0, (0.5 - x) * scale - 0.5], [0, scale, (0.5 - y) * scale - 0.5]], dtype=np.float64
    )


def _square(centre_x: float, centre_y: float, side: float) -> NDArray[np.float64]:
    half = (side - 1) / 2
    return np.array([centre_x - half, centre_y - half, side, side], dtype=np.float64)
