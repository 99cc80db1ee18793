"""Suppression of duplicates: which of several boxes on one face is kept.

Boxes overlap by their intersection over the smaller area (IoMin), because parts of a large face are
detected as faces, too. A face before a larger one overlaps it as well: overlapping boxes are two
faces where both are certain and either their IoU is small or their keypoints lie apart. Boxes whose
keypoints agree, as those of duplicates do after iterative refinement, are one face however little
they overlap. Boxes of far lower scores are dropped before the keypoint network runs, the rest by
non-maximum suppression of the fused scores.

Legend: M boxes of one image.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.face import Face
from edge.fusion import min_detector_score
from edge.geometry.boxes import intersection_over_union, io_min, pairwise_io_min
from edge.geometry.face_frame import eye_span
from edge.networks.detections import Detections


class LocatedFace(Protocol):
    """A face with its box, keypoints and score, as `edge.face.Face`."""

    @property
    def box(self) -> NDArray[np.float32] | tuple[float, float, float, float]: ...  # noqa: D102
    @property
    def keypoints(self) -> NDArray[np.float32]: ...  # noqa: D102
    @property
    def score(self) -> float: ...  # noqa: D102


DUPLICATE_IO_MIN = 0.5  # IoMin above which two boxes may be duplicates
# Mean distances of the keypoints, in parts of the smaller face's distance between the outer eye
# corners: below the first two faces are the same, from the second on they are apart. Of duplicates
# 95 % have less than 0.02, a nose and mouth taken for a face 1.1 from the face that they belong to.
SAME_DISTANCE, APART_DISTANCE = 0.3, 1.25
NESTED_IOU = 0.2  # below it, a box is so much smaller that it is seldom a part of the other face
# Fused scores of the smaller and of the larger of two faces that overlap. One in 40 of the parts of
# faces that are detected has 0.9, and 80 % of faces before a larger one have it; measured with a
# face score that was 0.05 higher for them.
CERTAIN_SMALLER, CERTAIN_LARGER = 0.85, 0.75
# A box that is dropped before the network runs could not become certain: its fused score is at most
# the ratio to the power of `edge.fusion.DETECTOR_SCORE`, 0.63.
SUPPRESS_RATIO = 0.5  # share of the other's score below which a duplicate is not run


def without_duplicates(faces: list[Face]) -> list[Face]:
    """Non-maximum suppression; the largest face comes first."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if not any(are_duplicates(face, other) for other in kept):
            kept.append(face)
    return sorted(kept, key=_negative_area)


def are_duplicates(face: LocatedFace, other: LocatedFace) -> bool:
    """Whether two boxes with keypoints are on the same face."""
    larger, smaller = sorted((face, other), key=_negative_area)
    is_certain = smaller.score >= CERTAIN_SMALLER and larger.score >= CERTAIN_LARGER
    return is_one_face(face, other, is_certain)


def is_one_face(face: LocatedFace, other: LocatedFace, are_faces: bool = True) -> bool:
    """Whether two boxes with keypoints are on the same face if `are_faces`, or one is a part."""
    overlap = io_min(face.box, other.box)
    if overlap == 0:
        return False
    smaller = max(face, other, key=_negative_area)
    distance = np.linalg.norm(face.keypoints - other.keypoints, axis=1).mean()
    span = eye_span(smaller.keypoints[None])[0]
    if distance < SAME_DISTANCE * span:
        return True
    if overlap <= DUPLICATE_IO_MIN:
        return False
    boxes = np.stack([face.box, other.box])
    is_small = intersection_over_union(boxes[:1], boxes[1:])[0, 0] < NESTED_IOU
    return not (are_faces and (is_small or distance >= APART_DISTANCE * span))


def may_be_others(detections: Detections, known: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Mask `(M,)` of the boxes that may be on other faces than the known boxes `(O, 4)`."""
    overlaps = pairwise_io_min(detections.boxes, known) > DUPLICATE_IO_MIN
    if detections.scores is not None:
        is_certain = detections.scores >= min_detector_score(CERTAIN_SMALLER)
        is_small = intersection_over_union(detections.boxes, np.asarray(known)) < NESTED_IOU
        overlaps &= ~(is_small & is_certain[:, None])
    return np.asarray(~overlaps.any(axis=1))


def _negative_area(face: LocatedFace) -> float:
    return -float(face.box[2] * face.box[3])


def first_candidates(boxes: NDArray[np.float32], count: int) -> NDArray[np.bool_]:
    """Mask `(M,)` of the boxes `(M, 4)`, largest first, that are run first when `count` are asked.

    All that overlap the `count` largest; the others are seldom needed.
    """
    return np.asarray((pairwise_io_min(boxes, boxes[:count]) > DUPLICATE_IO_MIN).any(axis=1))


def are_suppressed(detections: Detections) -> NDArray[np.bool_]:
    """Mask `(M,)` of the boxes that overlap one with a far higher score.

    They would be dropped after the keypoint network had run on both; it need not run.
    """
    boxes, scores = detections.boxes, detections.scores
    if scores is None or len(boxes) < 2:
        return np.zeros(len(boxes), bool)
    duplicates = pairwise_io_min(boxes, boxes) > DUPLICATE_IO_MIN
    return np.asarray((duplicates & (scores[:, None] < SUPPRESS_RATIO * scores)).any(axis=1))
