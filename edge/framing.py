"""How a face lies in the crop that the keypoint network sees: as in Kaggle's pictures.

Legend: K keypoints (15). Matrices and squares are those of `edge.geometry`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.geometry import Matrix, compose, crop_matrix, invert, scale_of, transform, turn_of

CROP = 96  # px, side of Kaggle's pictures, in which the mean face is given

# The mean of Kaggle's training faces, px of their pictures, rounded to 0.1; (K, 2).
MEAN_FACE = np.array(
    [[66.2, 36.8], [29.6, 37.1], [59.3, 37.9], [73.4, 37.6], [36.6, 37.9], [22.4, 38.0],
     [56.2, 29.2], [79.6, 29.7], [39.3, 29.4], [15.8, 30.4], [48.0, 57.2], [63.4, 75.9],
     [33.0, 76.1], [48.1, 72.7], [48.2, 82.6]]
)  # fmt: skip
_MIN_POINTS = 3


def overlay(keypoints: NDArray[np.floating]) -> Matrix | None:
    """Lay the mean face over a face: the similarity of least squares (Umeyama, 1991).

    Args:
        keypoints: `(15, 2)` px of a picture, NaN where missing.

    Returns:
        The matrix from the mean face's crop to the picture; None where fewer than three points are
        labelled, or all lie in one place.
    """
    known = ~np.isnan(keypoints).any(axis=1)
    if known.sum() < _MIN_POINTS:
        return None
    # A similarity of the plane is one complex factor and one complex offset.
    mean, face = (
        np.asarray(points[known], dtype=np.float64) @ np.array([1, 1j])
        for points in (MEAN_FACE, keypoints)
    )
    centred = mean - mean.mean()
    factor = np.vdot(centred, face - face.mean()) / np.vdot(centred, centred).real
    offset = face.mean() - factor * mean.mean()
    if not abs(factor) > 0:
        return None
    return np.array(
        [[factor.real, -factor.imag, offset.real], [factor.imag, factor.real, offset.imag]]
    )


def frame(keypoints: NDArray[np.floating]) -> NDArray[np.float64] | None:
    """The upright square that frames a face as Kaggle's pictures do.

    Args:
        keypoints: `(15, 2)` px of a picture, NaN where missing.

    Returns:
        float64 `(4,)`: x, y, side, side in px, the square of the overlaid mean face before it is
        turned; None as for `overlay`.
    """
    matrix = overlay(keypoints)
    if matrix is None:
        return None
    side = scale_of(matrix) * CROP
    middle = (CROP - 1) / 2
    corner = transform(matrix, (middle, middle)) - (side - 1) / 2
    return np.array([*corner, side, side])


def upright_matrix(keypoints: NDArray[np.floating], size: int) -> Matrix | None:
    """The matrix from the picture to a `size`×`size` px crop in which the face stands upright.

    Args:
        keypoints: `(15, 2)` px of the picture, NaN where missing.
        size: side of the crop, px.

    Returns:
        float64 `(2, 3)`; None as for `overlay`.
    """
    matrix = overlay(keypoints)
    if matrix is None:
        return None
    return compose(crop_matrix((0, 0, CROP, CROP), size), invert(matrix))


def tilt_deg(keypoints: NDArray[np.floating]) -> float:
    """How far a face is turned in the plane, degrees clockwise as seen; NaN as for `overlay`."""
    matrix = overlay(keypoints)
    return float("nan") if matrix is None else turn_of(matrix)
