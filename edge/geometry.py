"""Boxes, affine matrices and the one way a point moves between picture and crop.

A matrix is float64 `(2, 3)`; it maps a point `(x, y)` by `matrix[:, :2] @ (x, y) + matrix[:, 2]`,
in pixels with centres at integers (see `edge.keypoints`). Legend: N points, M boxes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Matrix = NDArray[np.float64]
Complex = NDArray[np.complex128]


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
    """The matrix that undoes `matrix`, float64 `(2, 3)`.

    Raises:
        ZeroDivisionError: it maps the plane to a line.
    """
    # By hand, as below: numpy's functions take 20 times as long for four numbers.
    (a, b, x), (c, d, y) = matrix.tolist()
    area = a * d - b * c
    return np.array(
        [[d / area, -b / area, (b * y - d * x) / area],
         [-c / area, a / area, (c * x - a * y) / area]]
    )  # fmt: skip


def compose(second: Matrix, first: Matrix) -> Matrix:
    """The matrix that applies `first` and then `second`, float64 `(2, 3)`."""
    (a, b, x), (c, d, y) = second.tolist()
    (e, f, u), (g, h, v) = first.tolist()
    return np.array(
        [[a * e + b * g, a * f + b * h, a * u + b * v + x],
         [c * e + d * g, c * f + d * h, c * u + d * v + y]]
    )  # fmt: skip


def scale_of(matrix: Matrix) -> float:
    """The factor by which `matrix` lengthens distances (for unequal axes, their geometric mean)."""
    (a, b, _), (c, d, _) = matrix.tolist()
    return math.sqrt(abs(a * d - b * c))


def turn_of(matrix: Matrix) -> float:
    """The angle by which `matrix`, a similarity, turns: degrees, clockwise as seen."""
    return math.degrees(math.atan2(matrix[1, 0], matrix[0, 0]))


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
    found = fit(to_complex(points), to_complex(others))
    return None if found is None else from_complex(*found)


def to_complex(points: NDArray[np.floating]) -> Complex:
    """Points `(N, 2)` as complex numbers `x + iy`, `(N,)`.

    A similarity of the plane is one complex factor and one complex offset.
    """
    return np.ascontiguousarray(points, np.float64).view(np.complex128)[:, 0]


def fit(points: Complex, others: Complex) -> tuple[complex, complex] | None:
    """`lay_over` for complex numbers `(N,)`: factor and offset, or None."""
    count = len(points)
    mean, other = complex(points.sum()) / count, complex(others.sum()) / count
    centred = points - mean
    spread = float(np.vdot(centred, centred).real)
    factor = complex(np.vdot(centred, others - other)) / spread if spread > 0 else 0j
    if not abs(factor) > 0:
        return None
    return factor, other - factor * mean


def from_complex(factor: complex, offset: complex) -> Matrix:
    """The similarity that takes a point `x + iy` to `factor · (x + iy) + offset`."""
    return np.array(
        [[factor.real, -factor.imag, offset.real], [factor.imag, factor.real, offset.imag]]
    )


def shared_part(first: ArrayLike, second: ArrayLike) -> float:
    """The area that two boxes `(4,)` share, as a part of the smaller one's, 0–1."""
    (*_, width, height), (*_, other_width, other_height) = (
        np.asarray(box, dtype=np.float64).tolist() for box in (first, second)
    )
    smaller = min(width * height, other_width * other_height)
    return float(shared_area(first, second) / smaller) if smaller > 0 else 0.0


def shared_parts(boxes: NDArray[np.floating], others: NDArray[np.floating]) -> NDArray[np.float64]:
    """`shared_part` of each box `(M, 4)` with each other `(O, 4)`: `(M, O)`, 0–1."""
    ours, theirs = (np.asarray(some, dtype=np.float64) for some in (boxes, others))
    area, other_area = (some[:, 2] * some[:, 3] for some in (ours, theirs))
    smaller = np.minimum(area[:, None], other_area)
    return np.asarray(overlap(ours, theirs) / np.where(smaller > 0, smaller, np.inf))


def shared_area(first: ArrayLike, second: ArrayLike) -> float:
    """The area that two boxes `(4,)` share, px²."""
    (x, y, width, height), (u, v, other_width, other_height) = (
        np.asarray(box, dtype=np.float64).tolist() for box in (first, second)
    )
    across = min(x + width, u + other_width) - max(x, u)
    down = min(y + height, v + other_height) - max(y, v)
    return float(max(across, 0.0) * max(down, 0.0))


def overlap(boxes: NDArray[np.floating], others: NDArray[np.floating]) -> NDArray[np.float64]:
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
    shared = overlap(boxes, others)
    area, other_area = (b[:, 2].astype(np.float64) * b[:, 3] for b in (boxes, others))
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
