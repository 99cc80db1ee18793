"""Hard positives: false negatives of a detector.

A small network learns most from these, and among randomly drawn faces they are rare.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.geometry.boxes import intersection_over_union
from edge.networks.face_detector import FaceDetector
from train.detector.boxes import sizes_of
from train.detector.false_positives import DETECT_SIZES
from train.detector.photos import Photo

_MIN_IOU = 0.5  # intersection over union of a face's box and a detection of it
_MIN_SCORE = 0.6  # of a detection; a face detected with less is a false negative too
_MIN_FACE = 10.0  # px at the detection size; smaller faces need not be detected


@dataclass(frozen=True, slots=True)
class FalseNegatives:
    """False negatives of a detector; a face missed at two sizes is listed twice.

    Attributes:
        photos: int64 `(F,)`, index of the photo.
        faces: int64 `(F,)`, index of the face in that photo.
    """

    photos: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    faces: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        """The number of false negatives."""
        return len(self.photos)


def find_false_negatives(
    detector: str | Path, photos: list[Photo], sources: tuple[str, ...]
) -> FalseNegatives:
    """Run a detector on photos and compare its detections with the annotated boxes.

    Args:
        detector: path of an ONNX detector.
        photos: all photos.
        sources: the sets that are searched, those with reliable boxes; in the others a false
            negative may be a wrong annotation.

    Raises:
        ModelError: the detector cannot be opened.
    """
    detect = FaceDetector(detector, threads=2)
    rows = [
        (i, face)
        for i, photo in enumerate(photos)
        if photo.source in sources
        for size in DETECT_SIZES
        for face in _missed_faces(photo, detect, size)
    ]
    table = np.array(rows, np.int64).reshape(-1, 2)
    return FalseNegatives(table[:, 0], table[:, 1])


def _missed_faces(photo: Photo, detect: FaceDetector, size: int) -> list[int]:
    detections = detect(photo.pixels, size).above(_MIN_SCORE).boxes
    _, inner = detect.letterbox(photo.pixels, size)
    face_px = sizes_of(photo.boxes) * inner[1] / photo.pixels.shape[1]
    matches = intersection_over_union(photo.boxes, detections) >= _MIN_IOU
    missed = ~matches.any(axis=1) & (face_px >= _MIN_FACE)
    return np.flatnonzero(missed).tolist()
