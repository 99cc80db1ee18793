"""Padded crops: faces framed as in Kaggle's images, with a margin for augmentation.

They are cut by `edge.crop`, as at run time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.crop import cut
from edge.geometry.affine import compose, crop_matrix, transform
from train.data.faces import SIDE

MARGIN = 72  # px on each side; a face scaled by 0.4 still shows its own surroundings
PADDED_SIDE = SIDE + 2 * MARGIN


def cut_padded_crop(
    grey: NDArray[np.uint8], keypoints: NDArray[np.floating], square: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Crop a face with a margin.

    Args:
        grey: the photo, uint8 `(H, W)`.
        keypoints: `(15, 2)` px of the photo.
        square: from `edge.geometry.keypoint_frame.face_square`; the central 96×96 px of the result.

    Returns:
        The padded crop, uint8 `(240, 240)`, and the keypoints in its pixels, float32 `(15, 2)`.
    """
    offset = np.array([[1.0, 0.0, MARGIN], [0.0, 1.0, MARGIN]])
    matrix = compose(offset, crop_matrix(square, SIDE))
    return cut(grey, matrix, PADDED_SIDE), transform(matrix, keypoints).astype(np.float32)
