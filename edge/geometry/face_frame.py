"""How a face lies in the crop that the keypoint network sees: as in Kaggle's pictures.

Legend: K keypoints (15). Matrices and squares are those of `edge.geometry.affine`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.geometry.affine import Matrix, compose, crop_matrix, invert, scale_of, turn_of
from edge.geometry.similarity import from_complex, lay_over, to_complex

CROP = 96  # px, side of Kaggle's pictures, in which the mean face is given

# The mean of Kaggle's training faces, px of their pictures, rounded to 0.1; (K, 2).
MEAN_FACE = np.array(
    [[66.2, 36.8], [29.6, 37.1], [59.3, 37.9], [73.4, 37.6], [36.6, 37.9], [22.4, 38.0],
     [56.2, 29.2], [79.6, 29.7], [39.3, 29.4], [15.8, 30.4], [48.0, 57.2], [63.4, 75.9],
     [33.0, 76.1], [48.1, 72.7], [48.2, 82.6]]
)  # fmt: skip
_MIN_POINTS = 3
# `lay_over` of the whole mean face, as far as it does not depend on the other: a weight `(K,)` for
# each of its points in the complex factor that the similarity is.
_MIDDLE = complex(*MEAN_FACE.mean(axis=0))
_LAID_OVER = (to_complex(MEAN_FACE) - _MIDDLE).conj()
_LAID_OVER = _LAID_OVER / (abs(_LAID_OVER) ** 2).sum()
# A box reaches from the middle of the forehead to the chin and from cheek to cheek: half-way
# between the boxes of WIDER FACE and YuNet, which begin at the hair line, and those that people
# draw around faces with masks, which begin above the brows. In parts of the crop's side: the box's
# sides, and how far its centre lies below the crop's.
BOX_WIDTH, BOX_HEIGHT, BOX_DOWN = 0.84, 1.06, 0.06


def overlay(keypoints: NDArray[np.floating]) -> Matrix | None:
    """Lay the mean face over a face, by `edge.geometry.similarity.lay_over`.

    Args:
        keypoints: `(15, 2)` px of a picture, NaN where missing.

    Returns:
        The matrix from the mean face's crop to the picture; None where fewer than three points are
        labelled, or all lie in one place.
    """
    points = to_complex(keypoints)
    middle = complex(points.sum()) / len(points)
    factor = complex(_LAID_OVER @ (points - middle))
    if math.isfinite(factor.real) and abs(factor) > 0:  # all are known, as a network gives them
        return from_complex(factor, middle - factor * _MIDDLE)
    known = ~np.isnan(keypoints[:, 0] + keypoints[:, 1])
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
    lying = overlay(keypoints)
    return None if lying is None else square_of(lying)


def square_of(lying: Matrix) -> NDArray[np.float64]:
    """As `frame`, of a face that is laid over already: `lying` is what `overlay` gives."""
    side = scale_of(lying) * CROP
    middle = (CROP - 1) / 2
    (a, b, x), (c, d, y) = lying.tolist()
    left, top = ((p + q) * middle + r - (side - 1) / 2 for p, q, r in ((a, b, x), (c, d, y)))
    return np.array([left, top, side, side])


def box_of(square: ArrayLike) -> NDArray[np.float64]:
    """The box of the face that fills a crop as Kaggle's faces do.

    Args:
        square: `(4,)`: x, y, side, side, px; x and y are the centre of the top-left pixel.

    Returns:
        float64 `(4,)`: x, y, width, height, px.
    """
    x, y, side, _ = np.asarray(square, dtype=np.float64).tolist()
    width, height = BOX_WIDTH * side, BOX_HEIGHT * side
    top = y + (side - height) / 2 + BOX_DOWN * side
    return np.array([x + (side - width) / 2, top, width, height])


def box_of_keypoints(keypoints: NDArray[np.floating]) -> NDArray[np.float32] | None:
    """The box of a face whose keypoints are known.

    Args:
        keypoints: `(15, 2)` px, NaN where missing.

    Returns:
        float32 `(4,)`: x, y, width, height, px; None as for `overlay`.
    """
    lying = overlay(keypoints)
    return None if lying is None else box_around(lying)


def box_around(lying: Matrix) -> NDArray[np.float32]:
    """As `box_of_keypoints`, of a face that is laid over already: `lying` is from `overlay`."""
    return box_of(square_of(lying)).astype(np.float32)


def square_around(box: ArrayLike) -> NDArray[np.float64]:
    """The square to cut out for a face whose box is known; what `box_of` does, undone.

    Args:
        box: `(4,)`: x, y, width, height, px, from forehead to chin; of another shape than a face's,
            it counts by its area.

    Returns:
        float64 `(4,)`: x, y, side, side, in the same frame; it may reach outside the picture.
    """
    x, y, width, height = np.asarray(box, dtype=np.float64).tolist()
    side = math.sqrt(width * height / (BOX_WIDTH * BOX_HEIGHT))
    top = y + (height - side) / 2 - BOX_DOWN * side
    return np.array([x + (width - side) / 2, top, side, side])


def from_wider(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Boxes of a detector that learnt from WIDER FACE, such as YuNet, in our convention.

    By the medians over 2,843 faces of photos for training which YuNet and a person had marked: its
    box is 0.96 times as wide and 1.11 times as high as the hand's, its centre 0.125 of the hand's
    height further up. Ours lies half-way between the two.

    Args:
        boxes: float32 `(M, 4)`: x, y, width, height, px.

    Returns:
        float32 `(M, 4)`, likewise.
    """
    return redraw(boxes, width=1.02, height=0.95, down=0.056)


def redraw(
    boxes: NDArray[np.float32], width: float, height: float, down: float
) -> NDArray[np.float32]:
    """Boxes `(M, 4)` with sides multiplied, and moved down by a share of their height."""
    size = boxes[:, 2:] * np.array([width, height], np.float32)
    corner = boxes[:, :2] + (boxes[:, 2:] - size) / 2
    corner[:, 1] += down * boxes[:, 3]
    return np.concatenate([corner, size], axis=1)


def upright_matrix(keypoints: NDArray[np.floating], size: int) -> Matrix | None:
    """The matrix from the picture to a `size`×`size` px crop in which the face stands upright.

    Args:
        keypoints: `(15, 2)` px of the picture, NaN where missing.
        size: side of the crop, px.

    Returns:
        float64 `(2, 3)`; None as for `overlay`.
    """
    lying = overlay(keypoints)
    return None if lying is None else stand_up(lying, size)


def stand_up(lying: Matrix, size: int) -> Matrix:
    """As `upright_matrix`, of a face that is laid over already: `lying` is what `overlay` gives."""
    return compose(crop_matrix((0, 0, CROP, CROP), size), invert(lying))


def tilt_deg(keypoints: NDArray[np.floating]) -> float:
    """How far a face is turned in the plane, degrees clockwise as seen; NaN as for `overlay`."""
    matrix = overlay(keypoints)
    return float("nan") if matrix is None else turn_of(matrix)
