"""A detector's proposals, cropped as the keypoint network receives them at run time.

Legend: M boxes, N crops, S side of a crop.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edge.crop import cut
from edge.geometry.affine import Matrix
from edge.geometry.boxes import intersection_over_union
from edge.geometry.keypoint_frame import upright_matrix
from edge.networks.detections import Detections
from edge.networks.face_detector import FaceDetector
from edge.networks.keypoint_model import KeypointModel
from edge.refinement import refine
from train.detector.backgrounds import cut_backgrounds
from train.detector.photos import Photo, photo_without_faces

DETECT_SIZES = (320, 640)  # px, longer side at which photos are searched
_OTHER_SIZE = DETECT_SIZES[0]  # likewise, pictures without an upright face
# Intersection over union of a proposal with the boxes of a photo.
_MIN_FACE_IOU = 0.5  # from which on it shows that face
_MAX_BACKGROUND_IOU = 0.3  # up to which it shows no face
_MAX_IGNORED_IOU = 0.2  # with ignored boxes, likewise
_SEED = 9  # of the parts without a face
_MIN_SCORE = 0.1  # `edge` rejects boxes below 0.25; weaker ones are further training examples


def crop_proposals(
    detector: FaceDetector, model: KeypointModel, photos: list[Photo]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Crop a detector's proposals as in the first and in the last inference pass.

    Besides the photos, their parts without a face and the photos upside down are searched: a
    proposal there is background, since no face is upright.

    Args:
        detector: provides the proposals.
        model: the keypoint network, which refines the crop of each proposal.
        photos: with the boxes of all faces.

    Returns:
        Crops of faces and of background, uint8 `(N, S, S)` each; ambiguous proposals are left out.
    """
    faces: list[NDArray[np.uint8]] = []
    background: list[NDArray[np.uint8]] = []
    for photo, size in _searches(photos):
        proposals = detector(photo.pixels, size).above(_MIN_SCORE)
        is_face, is_background = classify_proposals(proposals.boxes, photo)
        for rows, crops in ((is_face, faces), (is_background, background)):
            for matrix in _crop_matrices(model, photo, proposals.take(rows)):
                crops.append(cut(photo.pixels, matrix, model.size))
    return _stack(faces, model.size), _stack(background, model.size)


def _searches(photos: list[Photo]) -> Iterator[tuple[Photo, int]]:
    """The pictures that are searched, and at which size."""
    for number, photo in enumerate(photos):
        yield from ((photo, size) for size in DETECT_SIZES)
        if len(photo.boxes):
            rng = np.random.default_rng((_SEED, number))
            others = [*cut_backgrounds(photo, rng), _upside_down(photo)]
            yield from ((other, _OTHER_SIZE) for other in others)


def _upside_down(photo: Photo) -> Photo:
    pixels = np.ascontiguousarray(photo.pixels[::-1, ::-1])
    return photo_without_faces(pixels, photo.source)


def _stack(crops: list[NDArray[np.uint8]], size: int) -> NDArray[np.uint8]:
    return np.stack(crops) if crops else np.empty((0, size, size), np.uint8)


def classify_proposals(
    boxes: NDArray[np.float32], photo: Photo
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which proposals `(M, 4)` show a face, and which show background, `(M,)` each."""
    face_iou, ignored_iou = (
        intersection_over_union(boxes, annotated).max(axis=1, initial=0.0)
        for annotated in (photo.boxes, photo.ignored)
    )
    is_background = (face_iou <= _MAX_BACKGROUND_IOU) & (ignored_iou <= _MAX_IGNORED_IOU)
    return face_iou >= _MIN_FACE_IOU, is_background


def _crop_matrices(model: KeypointModel, photo: Photo, proposals: Detections) -> Iterator[Matrix]:
    """The first crop of each proposal, then the crops after refinement."""
    first = proposals.crop_matrices(model.size)
    yield from first
    for refined in refine(model, [photo.pixels] * len(first), first, max_passes=2, fuse=False):
        last = upright_matrix(refined.keypoints, model.size)
        if last is not None:
            yield last
