"""The frame of a face whose keypoints are known: of labelled faces, and of tracked ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.geometry.affine import Matrix, matrix_from_complex, scale_of, similarity_of
from edge.geometry.face_frame import CROP, crop_of_pose, fit_mean_face


def face_square(keypoints: NDArray[np.floating]) -> NDArray[np.float64] | None:
    """The upright square that frames a face as Kaggle's images do.

    Args:
        keypoints: `(15, 2)` px of an image, NaN where missing.

    Returns:
        float64 `(4,)`: x, y, side, side in px; None as for `fit_mean_face`.
    """
    pose = fit_mean_face(keypoints)
    if pose is None:
        return None
    side = scale_of(pose) * CROP
    centre = (CROP - 1) / 2
    (a, b, x), (c, d, y) = pose.tolist()
    left, top = ((p + q) * centre + r - (side - 1) / 2 for p, q, r in ((a, b, x), (c, d, y)))
    return np.array([left, top, side, side])


def upright_matrix(keypoints: NDArray[np.floating], size: int) -> Matrix | None:
    """The matrix from the image to a `size`×`size` px crop in which the face stands upright.

    Args:
        keypoints: `(15, 2)` px of the image, NaN where missing.
        size: side of the crop, px.

    Returns:
        float64 `(2, 3)`; None as for `fit_mean_face`.
    """
    pose = fit_mean_face(keypoints)
    if pose is None:
        return None
    return matrix_from_complex(*crop_of_pose(similarity_of(pose), size))
