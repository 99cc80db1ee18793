"""What a detector takes for faces, as crops that the keypoint network is given of them.

Legend: M boxes, N crops, S side of a crop.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edge.crop import cut
from edge.geometry.affine import Matrix, crop_matrix
from edge.geometry.boxes import intersection_over_union
from edge.geometry.face_frame import square_of_box, upright_matrix
from edge.networks.face_detector import FaceDetector
from edge.networks.keypoint_model import KeypointModel
from edge.refinement import refine
from train.detector.false_positives import SIZES
from train.detector.photos import Photo

_SAME, _APART = 0.5, 0.3  # intersection over union with a face's box from, and up to which
_UNSURE = 0.2  # likewise with that of something that may be a face
_LEAST_SCORE = 0.1  # of a box; `edge` drops those below 0.25, but there is more to learn from


def cut_candidates(
    detector: FaceDetector, model: KeypointModel, photos: list[Photo]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Crops of what a detector finds, as the network sees them first and last.

    Args:
        detector: whose boxes are taken.
        model: the keypoint network, which says how a further look frames a box.
        photos: with the boxes of all faces.

    Returns:
        Crops of faces and of what is none, uint8 `(N, S, S)` each; where nobody knows, there is no
        crop.
    """
    faces: list[NDArray[np.uint8]] = []
    others: list[NDArray[np.uint8]] = []
    for photo in photos:
        for size in SIZES:
            boxes = detector(photo.pixels, size).above(_LEAST_SCORE).boxes
            right, wrong = judge(boxes, photo)
            for some, crops in ((right, faces), (wrong, others)):
                for matrix in _matrices(model, photo, boxes[some]):
                    crops.append(cut(photo.pixels, matrix, model.size))
    none = np.empty((0, model.size, model.size), np.uint8)
    return (np.stack(faces) if faces else none), (np.stack(others) if others else none)


def judge(boxes: NDArray[np.float32], photo: Photo) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which boxes `(M, 4)` are a face's, and which are nobody's, `(M,)` each."""
    with_face, with_unsure = (
        intersection_over_union(boxes, some).max(axis=1, initial=0.0)
        for some in (photo.boxes, photo.unsure)
    )
    return with_face >= _SAME, (with_face <= _APART) & (with_unsure <= _UNSURE)


def _matrices(model: KeypointModel, photo: Photo, boxes: NDArray[np.float32]) -> Iterator[Matrix]:
    first = [crop_matrix(square_of_box(box), model.size) for box in boxes]
    yield from first
    for seen in refine(model, [photo.pixels] * len(first), first, max_passes=2):
        last = upright_matrix(seen.keypoints, model.size)
        if last is not None:
            yield last
