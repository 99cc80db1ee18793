"""Affine matrices: the one way to map points between image and crop.

A matrix is float64 `(2, 3)`; it maps a point `(x, y)` by `matrix[:, :2] @ (x, y) + matrix[:, 2]`,
in pixels with centres at integers (see `edge.keypoints`). Legend: N points.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Matrix = NDArray[np.float64]
Complex = NDArray[np.complex128]
Similarity = tuple[complex, complex]  # takes z = x + iy to factor · z + offset


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
    # In plain Python, as below: numpy takes 20 times as long for four numbers.
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
    """The scale factor of `matrix` (for unequal axes, their geometric mean)."""
    (a, b, _), (c, d, _) = matrix.tolist()
    return math.sqrt(abs(a * d - b * c))


def rotation_deg(matrix: Matrix) -> float:
    """The rotation of `matrix`, a similarity: degrees, clockwise as seen."""
    return math.degrees(math.atan2(matrix[1, 0], matrix[0, 0]))


def crop_matrix(square: ArrayLike, size: int, roll_deg: float = 0.0) -> Matrix:
    """The matrix from the image to a `size`×`size` px crop of `square` (x, y, side, side).

    The square is first rotated about its centre by `roll_deg`, clockwise as seen, so that a face
    with this roll is upright in the crop.
    """
    x, y, side, _ = np.asarray(square, dtype=np.float64).tolist()
    scale, angle, half = size / side, math.radians(roll_deg), (side - 1) / 2
    cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
    u, v, middle = x + half, y + half, (size - 1) / 2
    return np.array(
        [[cos, sin, middle - cos * u - sin * v], [-sin, cos, middle + sin * u - cos * v]]
    )


def to_complex(points: NDArray[np.floating]) -> Complex:
    """Points `(N, 2)` as complex numbers `x + iy`, `(N,)`.

    A similarity of the plane is one complex factor and one complex offset.
    """
    return np.ascontiguousarray(points, np.float64).view(np.complex128)[:, 0]


def to_points(points: Complex) -> NDArray[np.float32]:
    """Complex points `(N,)` as float32 `(N, 2)`."""
    return points.astype(np.complex64).view(np.float32).reshape(-1, 2)


def similarity_of(matrix: Matrix) -> Similarity:
    """Factor and offset of a matrix that is a similarity; `matrix_from_complex` undoes it."""
    (a, _, x), (b, _, y) = matrix.tolist()
    return complex(a, b), complex(x, y)


def matrix_from_complex(factor: complex, offset: complex) -> Matrix:
    """The similarity that takes a point `x + iy` to `factor · (x + iy) + offset`."""
    return np.array(
        [[factor.real, -factor.imag, offset.real], [factor.imag, factor.real, offset.imag]]
    )
