"""Similarities of the plane: built from their parts, and fitted to points by least squares.

Legend: N points.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.geometry.affine import Complex, Matrix, matrix_from_complex, to_complex


def similarity(
    scale: float, angle_deg: float, source: tuple[float, float], target: tuple[float, float]
) -> Matrix:
    """Scale and rotate about a point, and translate that point.

    Args:
        scale: target pixels per source pixel.
        angle_deg: rotation in degrees, clockwise as seen (y points down).
        source: the fixed point in the source frame, px.
        target: where it goes in the target frame, px.

    Returns:
        float64 `(2, 3)`.
    """
    angle = np.deg2rad(angle_deg)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([linear, np.asarray(target) - linear @ np.asarray(source)])


def fit_similarity(points: NDArray[np.floating], others: NDArray[np.floating]) -> Matrix | None:
    """Fit points to others: the similarity of least squares (Umeyama, 1991).

    Args:
        points: `(N, 2)` px.
        others: `(N, 2)` px of another frame.

    Returns:
        float64 `(2, 3)` from the points' frame to the others'; None where either set coincides.
    """
    found = fit_complex(to_complex(points), to_complex(others))
    return None if found is None else matrix_from_complex(*found)


def fit_complex(points: Complex, others: Complex) -> tuple[complex, complex] | None:
    """`fit_similarity` for complex numbers `(N,)`: factor and offset, or None."""
    count = len(points)
    mean, other = complex(points.sum()) / count, complex(others.sum()) / count
    centred = points - mean
    spread = float(np.vdot(centred, centred).real)
    factor = complex(np.vdot(centred, others - other)) / spread if spread > 0 else 0j
    if not abs(factor) > 0:
        return None
    return factor, other - factor * mean
