"""Recall and precision of a detector: its boxes matched with annotated faces.

Legend: M boxes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets.annotated_boxes import AnnotatedPhoto
from benchmarks.datasets.photos import Photo, shrink
from benchmarks.evaluation.detectors import Detect
from edge.geometry.boxes import intersection_over_union
from edge.geometry.face_frame import box_of_square
from edge.networks.detections import Detections

_CANVAS = (240, 320)  # height and width, px
_MIN_SIDE_PX = 16.0  # faces whose annotated box has a shorter side are ignored
_MIN_IOU = 0.5  # of a true positive


def is_found(detect: Detect, photo: Photo) -> bool:
    """Whether a detection overlaps the annotated face's box."""
    true_box = box_of_square(photo.square)[None]
    return bool((intersection_over_union(true_box, detect(photo.grey).boxes) >= _MIN_IOU).any())


def measure_precision(detect: Detect, photos: list[AnnotatedPhoto]) -> dict[str, float]:
    """Recall and precision over all faces of the photos.

    A face under 16 px is not counted as missed, and detecting it is no false positive. Of several
    detections of a face, one is a true positive.
    """
    faces = found = true_positives = detected = 0
    for photo in photos:
        detections = _by_score(detect(photo.grey))
        large = photo.boxes[:, 2:].min(axis=1, initial=np.inf) >= _MIN_SIDE_PX
        pairs = match(photo.boxes, detections.boxes)
        faces += int(large.sum())
        found += sum(bool(large[face]) for face, _ in pairs)
        true_positives += len(pairs)
        detected += len(detections.boxes)
    return {
        "faces": faces,
        "found": round(found / faces, 4),
        "precision": round(true_positives / max(detected, 1), 4),
    }


def _by_score(detections: Detections) -> Detections:
    """Detections in descending order of score."""
    scores = detections.scores
    return detections if scores is None else detections.take(np.argsort(-scores))


def match(faces: NDArray[np.floating], boxes: NDArray[np.floating]) -> list[tuple[int, int]]:
    """Match boxes greedily, in order, each with the free face that it overlaps most.

    Args:
        faces: annotated boxes `(M, 4)`, px.
        boxes: detected ones `(M, 4)`, px, in descending order of score.

    Returns:
        Pairs of indices of a face and its box.
    """
    pairs: list[tuple[int, int]] = []
    overlaps = intersection_over_union(faces, boxes)
    free = np.ones(len(faces), bool)
    for i in range(len(boxes)):
        best = int(np.argmax(np.where(free, overlaps[:, i], -1.0))) if free.any() else -1
        if best >= 0 and overlaps[best, i] >= _MIN_IOU:
            free[best] = False
            pairs.append((best, i))
    return pairs


def on_canvas(photo: Photo, face_px: float) -> Photo:
    """The photo shrunk until its face's box is `face_px` wide, centred on a grey canvas."""
    small = shrink(photo, face_px * photo.square[2] / box_of_square(photo.square)[2])
    canvas = np.full(_CANVAS, int(small.grey.mean()), np.uint8)
    height, width = (min(sides) for sides in zip(small.grey.shape, _CANVAS, strict=True))
    top = (_CANVAS[0] - height) // 2
    left = (_CANVAS[1] - width) // 2
    canvas[top : top + height, left : left + width] = small.grey[:height, :width]
    return Photo(canvas, small.keypoints + np.array([left, top], np.float32))
