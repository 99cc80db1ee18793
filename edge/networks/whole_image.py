"""The detector "none": each image is one face that fills it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.image import Grey
from edge.networks.detections import Detections


class WholeImage:
    """Takes each image as one face that fills it."""

    path: Path | None = None
    finds_faces = False
    needs_rotation = False

    def __call__(self, grey: Grey, detect_size: int) -> Detections:
        """One box: the whole image."""
        height, width = grey.shape
        whole = np.array([[0, 0, width, height]], np.float32)
        return Detections(whole, squares=enclosing_square(height, width)[None])


def enclosing_square(height: int, width: int) -> NDArray[np.float64]:
    """The smallest centred square that encloses an image, float64 `(4,)` px."""
    side = max(width, height)
    return np.array([(width - side) / 2, (height - side) / 2, side, side], np.float64)
