"""The frame of a face: the mean face, its pose in an image, and the crop and box that follow.

The keypoint network sees faces as Kaggle's images show them. The mean face is given in such a crop;
a face's pose is the similarity from the mean face to the image.

Legend: K keypoints (15), N faces. Matrices are those of `edge.geometry.affine`.
"""

from __future__ import annotations

import cmath
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.geometry.affine import (
    Complex,
    Matrix,
    Similarity,
    matrix_from_complex,
    rotation_deg,
    similarity_of,
    to_complex,
)

Box = tuple[float, float, float, float]  # x, y, width, height, px

CROP = 96  # px, side of Kaggle's images, in which the mean face is given

# The mean of Kaggle's training faces, px of their images, rounded to 0.1; (K, 2).
MEAN_FACE = np.array(
    [[66.2, 36.8], [29.6, 37.1], [59.3, 37.9], [73.4, 37.6], [36.6, 37.9], [22.4, 38.0],
     [56.2, 29.2], [79.6, 29.7], [39.3, 29.4], [15.8, 30.4], [48.0, 57.2], [63.4, 75.9],
     [33.0, 76.1], [48.1, 72.7], [48.2, 82.6]]
)  # fmt: skip
CROP_CENTRE = (1 + 1j) * (CROP - 1) / 2  # x + iy, px
_LEFT_EYE, _RIGHT_EYE = 3, 5  # rows of the outer eye corners, in the order of `edge.keypoints`
_MIN_POINTS = 3
_MIN_SCALE = 1e-6  # below which points coincide, but for rounding
# A box reaches from the middle of the forehead to the chin and from cheek to cheek: half-way
# between the boxes of WIDER FACE and YuNet, which begin at the hair line, and those that people
# draw around faces with masks, which begin above the brows. In parts of the crop's side: the box's
# sides, and how far its centre lies below the crop's.
BOX_WIDTH, BOX_HEIGHT, BOX_DOWN = 0.84, 1.06, 0.06


def fit_mean_face(keypoints: NDArray[np.floating]) -> Matrix | None:
    """Fit the mean face to a face: the similarity of least squares (Umeyama, 1991).

    Args:
        keypoints: `(15, 2)` px of an image, NaN where missing.

    Returns:
        The face's pose: float64 `(2, 3)` from the mean face's crop to the image. None where fewer
        than three points are labelled, or all coincide.
    """
    found = fit_complex_mean_face(to_complex(keypoints))
    if found is None:
        labelled = ~np.isnan(keypoints[:, 0] + keypoints[:, 1])
        if labelled.all() or labelled.sum() < _MIN_POINTS:
            return None
        fit = _least_squares(MEAN_FACE[labelled])
        found = _fit(to_complex(keypoints[labelled]), *fit)
    return None if found is None else matrix_from_complex(*found)


def fit_complex_mean_face(points: Complex) -> Similarity | None:
    """As `fit_mean_face`, for complex numbers: factor and offset of the similarity.

    Args:
        points: complex128 `(15,)` px of an image, all labelled.
    """
    return _fit(points, _CENTROID, _WEIGHTS)


def _fit(points: Complex, centroid: complex, weights: Complex) -> Similarity | None:
    """The similarity to `points`, from `_least_squares` of the source; None if there is none."""
    target, factor = (weights @ points).tolist()
    if cmath.isfinite(factor) and abs(factor) > _MIN_SCALE:
        return factor, target - factor * centroid
    return None


def _least_squares(points: NDArray[np.float64]) -> tuple[complex, Complex]:
    """Centroid of source points, and weights `(2, N)` of other points.

    The weighted sums are the other points' centroid, and the complex factor of the similarity.
    """
    centroid = complex(*points.mean(axis=0))
    centred = (to_complex(points) - centroid).conj()
    mean = np.full(len(points), 1 / len(points))
    return centroid, np.stack([mean, centred / (abs(centred) ** 2).sum()])


_CENTROID, _WEIGHTS = _least_squares(MEAN_FACE)  # all that does not depend on the face


def box_of_square(square: ArrayLike) -> NDArray[np.float64]:
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


def square_of_box(box: ArrayLike) -> NDArray[np.float64]:
    """The square to crop for a face whose box is known: the inverse of `box_of_square`.

    Args:
        box: `(4,)`: x, y, width, height, px, from forehead to chin; of another aspect ratio than a
            face's, it counts by its area.

    Returns:
        float64 `(4,)`: x, y, side, side, in the same frame; it may reach outside the image.
    """
    x, y, width, height = np.asarray(box, dtype=np.float64).tolist()
    side = math.sqrt(width * height / (BOX_WIDTH * BOX_HEIGHT))
    top = y + (height - side) / 2 - BOX_DOWN * side
    return np.array([x + (width - side) / 2, top, side, side])


def box_of_keypoints(keypoints: NDArray[np.floating]) -> NDArray[np.float32] | None:
    """The box of a face whose keypoints are known.

    Args:
        keypoints: `(15, 2)` px, NaN where missing.

    Returns:
        float32 `(4,)`: x, y, width, height, px; None as for `fit_mean_face`.
    """
    pose = fit_mean_face(keypoints)
    return None if pose is None else np.array(box_of_pose(similarity_of(pose)), np.float32)


def box_of_pose(pose: Similarity) -> Box:
    """The box of a face of this pose."""
    factor, offset = pose
    centre = factor * CROP_CENTRE + offset
    side = abs(factor) * CROP
    width, height = BOX_WIDTH * side, BOX_HEIGHT * side
    # The box of a square begins at its first edge, half a pixel before its first pixel's centre.
    left = centre.real - (side - 1) / 2 + (side - width) / 2
    top = centre.imag - (side - 1) / 2 + (side - height) / 2 + BOX_DOWN * side
    return left, top, width, height


def crop_of_pose(pose: Similarity, size: int, is_rotated: bool = True) -> Similarity:
    """The similarity to the `size`×`size` px crop of a pose, rotated upright or not."""
    factor, offset = pose
    scale = (size / CROP) / (factor if is_rotated else abs(factor))
    return scale, (1 + 1j) * (size - 1) / 2 - scale * (factor * CROP_CENTRE + offset)


def roll_deg(keypoints: NDArray[np.floating]) -> float:
    """In-plane rotation of a face, degrees clockwise as seen; NaN where `fit_mean_face` is None."""
    pose = fit_mean_face(keypoints)
    return float("nan") if pose is None else rotation_deg(pose)


def eye_span(keypoints: NDArray[np.floating]) -> NDArray[np.float64]:
    """The distance between the outer eye corners, `(N,)` px, of keypoints `(N, 15, 2)`."""
    return np.asarray(np.linalg.norm(keypoints[:, _LEFT_EYE] - keypoints[:, _RIGHT_EYE], axis=-1))
