"""Hard negatives: false positives of a detector in photos without faces.

A small network learns most from these, and among randomly drawn regions they are rare.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.networks.face_detector import FaceDetector

DETECT_SIZES = (320, 640)  # px, longer side at which photos are searched
_MAX_PER_PHOTO = 4  # at one size, so that a photo full of lettering does not dominate


@dataclass(frozen=True, slots=True)
class FalsePositives:
    """False positives of a detector.

    Attributes:
        photos: int64 `(F,)`, index of the photo.
        boxes: float32 `(F, 4)`, x, y, width, height in px of that photo.
    """

    photos: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    boxes: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 4), np.float32))

    def __len__(self) -> int:
        """The number of false positives."""
        return len(self.photos)


def find_false_positives(
    detector: str | Path, negatives: list[NDArray[np.uint8]]
) -> FalsePositives:
    """Run a detector on photos without faces.

    Args:
        detector: path of an ONNX detector.
        negatives: at least one photo without faces, grey, uint8 `(H, W)` each.

    Raises:
        ModelError: the detector cannot be opened.
    """
    detect = FaceDetector(detector, threads=2)
    photos = []
    boxes = []
    for i, photo in enumerate(negatives):
        for size in DETECT_SIZES:
            detections = detect(photo, size).boxes[:_MAX_PER_PHOTO]
            boxes.append(detections)
            photos.append(np.full(len(detections), i, np.int64))
    return FalsePositives(np.concatenate(photos), np.concatenate(boxes))
