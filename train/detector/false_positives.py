"""Places in photos without faces that a detector takes for faces.

A small network learns most from what lures it; in photos drawn at random that is rare.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.networks.face_detector import FaceDetector

SIZES = (320, 640)  # px, of the longer side at which photos are searched
_MOST = 4  # of one photo and size; a photo full of letters should not be all that is learnt


@dataclass(frozen=True, slots=True)
class Lures:
    """What was taken for a face.

    Attributes:
        photos: int64 `(L,)`, which photo.
        boxes: float32 `(L, 4)`, where in it: x, y, width, height, px.
    """

    photos: NDArray[np.int64]
    boxes: NDArray[np.float32]


def find_lures(detector: str | Path, negatives: list[NDArray[np.uint8]]) -> Lures:
    """Search photos without faces, uint8 `(H, W)` each, for what a detector finds in them.

    Raises:
        ModelError: the detector cannot be opened.
    """
    find = FaceDetector(detector, threads=2)
    photos, boxes = [], []
    for i, photo in enumerate(negatives):
        for size in SIZES:
            boxes.append(find(photo, size).boxes[:_MOST])
            photos.append(np.full(len(boxes[-1]), i, np.int64))
    return Lures(np.concatenate(photos), np.concatenate(boxes))
