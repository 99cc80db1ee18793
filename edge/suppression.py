"""Suppression of duplicates: which of several boxes on one face is kept.

Two boxes are duplicates by their intersection over the smaller area (IoMin). Some are dropped
before the keypoint network runs, the rest by non-maximum suppression of the fused scores.

Legend: M boxes of one image.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.face import Face
from edge.geometry.boxes import io_min, pairwise_io_min
from edge.networks.detections import Detections

DUPLICATE_IO_MIN = 0.5  # IoMin above which two boxes are duplicates
SUPPRESS_RATIO = 0.5  # share of the other's score below which a duplicate is not run


def without_duplicates(faces: list[Face]) -> list[Face]:
    """Non-maximum suppression by IoMin; the largest face comes first."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(io_min(face.box, other.box) <= DUPLICATE_IO_MIN for other in kept):
            kept.append(face)
    return sorted(kept, key=lambda face: -float(face.box[2] * face.box[3]))


def first_candidates(boxes: NDArray[np.float32], count: int) -> NDArray[np.bool_]:
    """Mask `(M,)` of the boxes `(M, 4)`, largest first, that are run first when `count` are asked.

    All duplicates of the `count` largest; the others are seldom needed.
    """
    return np.asarray((pairwise_io_min(boxes, boxes[:count]) > DUPLICATE_IO_MIN).any(axis=1))


def are_suppressed(detections: Detections) -> NDArray[np.bool_]:
    """Mask `(M,)` of the boxes that are duplicates of one with a far higher score.

    One of the two would be dropped after the keypoint network had run on both; it need not run.
    """
    boxes, scores = detections.boxes, detections.scores
    if scores is None or len(boxes) < 2:
        return np.zeros(len(boxes), bool)
    duplicates = pairwise_io_min(boxes, boxes) > DUPLICATE_IO_MIN
    return np.asarray((duplicates & (scores[:, None] < SUPPRESS_RATIO * scores)).any(axis=1))
