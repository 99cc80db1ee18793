"""The frame of a face whose keypoints are known: of labelled faces, and of tracked ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.geometry.affine import Matrix
from edge.geometry.face_frame import fit_mean_face, square_of_pose, upright_matrix_of_pose


def face_square(keypoints: NDArray[np.floating]) -> NDArray[np.float64] | None:
    """The upright square that frames a face as Kaggle's images do.

    Args:
        keypoints: `(15, 2)` px of an image, NaN where missing.

    Returns:
        float64 `(4,)`: x, y, side, side in px; None as for `fit_mean_face`.
    """
    pose = fit_mean_face(keypoints)
    return None if pose is None else square_of_pose(pose)


def upright_matrix(keypoints: NDArray[np.floating], size: int) -> Matrix | None:
    """The matrix from the image to a `size`×`size` px crop in which the face stands upright.

    Args:
        keypoints: `(15, 2)` px of the image, NaN where missing.
        size: side of the crop, px.

    Returns:
        float64 `(2, 3)`; None as for `fit_mean_face`.
    """
    pose = fit_mean_face(keypoints)
    return None if pose is None else upright_matrix_of_pose(pose, size)
