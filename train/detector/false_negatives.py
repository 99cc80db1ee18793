"""Faces that a detector does not find, or hardly.

A small network learns most from these; among faces drawn at random they are rare.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.geometry.boxes import intersection_over_union
from edge.networks.face_detector import FaceDetector
from train.detector.boxes import sizes_of
from train.detector.false_positives import SIZES
from train.detector.photos import Photo

_SAME = 0.5  # intersection over union from which on a box is the face's
_SURE = 0.6  # score from which on a face is found well
_LEAST_PX = 10.0  # of a face as it is searched; whoever misses a smaller one need not be taught


@dataclass(frozen=True, slots=True)
class Missed:
    """Which faces were missed: a face missed at two sizes is there twice.

    Attributes:
        photos: int64 `(K,)`, which photo.
        faces: int64 `(K,)`, which of its boxes.
    """

    photos: NDArray[np.int64]
    faces: NDArray[np.int64]


def find_missed(detector: str | Path, photos: list[Photo], sources: tuple[str, ...]) -> Missed:
    """Search photos of some sets for what a detector misses.

    Args:
        detector: its file.
        photos: all photos.
        sources: the sets whose boxes are true enough; elsewhere a miss may be a wrong box.

    Raises:
        ModelError: the detector cannot be opened.
    """
    find = FaceDetector(detector, threads=2)
    rows = [
        (i, face)
        for i, photo in enumerate(photos)
        if photo.source in sources
        for size in SIZES
        for face in _missed_in(photo, find, size)
    ]
    table = np.array(rows, np.int64).reshape(-1, 2)
    return Missed(table[:, 0], table[:, 1])


def _missed_in(photo: Photo, find: FaceDetector, size: int) -> list[int]:
    boxes = find(photo.pixels, size).above(_SURE).boxes
    _, inner = find.letterbox(photo.pixels, size)
    searched_px = sizes_of(photo.boxes) * inner[1] / photo.pixels.shape[1]
    found = intersection_over_union(photo.boxes, boxes) >= _SAME
    missed = ~found.any(axis=1) & (searched_px >= _LEAST_PX)
    return np.flatnonzero(missed).tolist()
