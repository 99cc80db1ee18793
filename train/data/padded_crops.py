"""Chips: faces cut out of photos with some room around them, framed as Kaggle's pictures are.

They are cut by `edge.crop`, as on the device.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.crop import cut
from edge.geometry.affine import compose, crop_matrix, transform
from train.data.faces import SIDE

MARGIN = 72  # px on each side, so that a face framed 2.5 times too wide has its own surroundings
CHIP = SIDE + 2 * MARGIN


def cut_chip(
    grey: NDArray[np.uint8], keypoints: NDArray[np.floating], square: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Cut a face and what lies around it.

    Args:
        grey: the photo, uint8 `(H, W)`.
        keypoints: `(15, 2)` px of the photo.
        square: from `edge.geometry.face_frame.frame`; it becomes the chip's central 96×96 px.

    Returns:
        The chip, uint8 `(240, 240)`, and the keypoints in its pixels, float32 `(15, 2)`.
    """
    widen = np.array([[1.0, 0.0, MARGIN], [0.0, 1.0, MARGIN]])
    matrix = compose(widen, crop_matrix(square, SIDE))
    return cut(grey, matrix, CHIP), transform(matrix, keypoints).astype(np.float32)
