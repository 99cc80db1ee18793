"""How a face lies in the crop that the keypoint network sees: as in Kaggle's pictures.

Legend: K keypoints (15). Matrices and squares are those of `edge.geometry`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.geometry import (
    Matrix,
    compose,
    crop_matrix,
    invert,
    lay_over,
    scale_of,
    transform,
    turn_of,
)

CROP = 96  # px, side of Kaggle's pictures, in which the mean face is given

# The mean of Kaggle's training faces, px of their pictures, rounded to 0.1; (K, 2).
MEAN_FACE = np.array(
    [[66.2, 36.8], [29.6, 37.1], [59.3, 37.9], [73.4, 37.6], [36.6, 37.9], [22.4, 38.0],
     [56.2, 29.2], [79.6, 29.7], [39.3, 29.4], [15.8, 30.4], [48.0, 57.2], [63.4, 75.9],
     [33.0, 76.1], [48.1, 72.7], [48.2, 82.6]]
)  # fmt: skip
_MIN_POINTS = 3
# A box reaches from forehead to chin and from cheek to cheek, as WIDER FACE's and YuNet's do. These
# are its sides in parts of the crop's; both have the same centre (medians over the labelled faces
# of lfpw and ytf, where the centres differ by 1 %).
BOX_WIDTH, BOX_HEIGHT = 0.82, 1.11


def overlay(keypoints: NDArray[np.floating]) -> Matrix | None:
    """Lay the mean face over a face, by `edge.geometry.lay_over`.

    Args:
        keypoints: `(15, 2)` px of a picture, NaN where missing.

    Returns:
        The matrix from the mean face's crop to the picture; None where fewer than three points are
        labelled, or all lie in one place.
    """
    known = ~np.isnan(keypoints).any(axis=1)
    if known.sum() < _MIN_POINTS:
        return None
    return lay_over(MEAN_FACE[known], keypoints[known])


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


def box_of(square: ArrayLike) -> NDArray[np.float64]:
    """The box of the face that fills a crop as Kaggle's faces do.

    Args:
        square: `(4,)`: x, y, side, side, px; x and y are the centre of the top-left pixel.

    Returns:
        float64 `(4,)`: x, y, width, height, px.
    """
    x, y, side, _ = np.asarray(square, dtype=np.float64)
    width, height = BOX_WIDTH * side, BOX_HEIGHT * side
    return np.array([x + (side - width) / 2, y + (side - height) / 2, width, height])


def square_around(box: ArrayLike) -> NDArray[np.float64]:
    """The square to cut out for a face whose box is known; what `box_of` does, undone.

    Args:
        box: `(4,)`: x, y, width, height, px, from forehead to chin; of another shape than a face's,
            it counts by its area.

    Returns:
        float64 `(4,)`: x, y, side, side, in the same frame; it may reach outside the picture.
    """
    x, y, width, height = np.asarray(box, dtype=np.float64)
    side = np.sqrt(width * height / (BOX_WIDTH * BOX_HEIGHT))
    return np.array([x + (width - side) / 2, y + (height - side) / 2, side, side])


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
