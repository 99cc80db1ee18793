"""Rotated faces: which of the detections in rotated images are accepted.

An unsure detection is repeated: the detector runs on a window around the face, rotated upright by
its keypoints, and gives the box. Of portraits that were rotated by 90°, 150° or 180°, taken from
the training photos, 95 % are then accepted instead of 85 %, and no more false positives. A face
that fills its image has no surroundings, so that the first score counts where it is high enough.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge.crop import AnyGrey, cut
from edge.face import Face
from edge.fusion import DETECTOR_SCORE, fused_box
from edge.geometry.affine import (
    Matrix,
    invert,
    matrix_from_complex,
    scale_of,
    to_complex,
    transform,
)
from edge.geometry.boxes import intersection_over_union
from edge.geometry.face_frame import (
    box_of_pose,
    box_of_square,
    crop_of_pose,
    fit_complex_mean_face,
    square_of_box,
)
from edge.networks.detections import Detections, Detector

# Fused score from which on a face is so sure that its image is not searched rotated, and from which
# on a rotated one is accepted: one in 400 images without a face has such a one. The keypoint
# network's score tells a face that is upside down from an upright one.
SURE_SCORE = 0.75
MIN_SCORE = 0.5  # of the first detection, from which on it is repeated
# From which on it is accepted then, with `SURE_SCORE`: it displaces none that was sure at once.
_UPRIGHT_SCORE = 0.8
_MARGIN = 0.1  # by which its score must be higher than those of the upright faces of its image
_SIDE = 192  # px, side of the window of the second detection
_FACE_SIDE = 64  # px, side of the keypoint network's crop in that window
_MIN_IOU = 0.35  # intersection over union of its box and the keypoints', if both are of one face


def confirmed(
    detector: Detector,
    grey: AnyGrey,
    faces: list[Face],
    detections: Detections,
    upright: list[Face],
    min_score: float,
) -> list[Face]:
    """The faces in rotated images that are accepted.

    Args:
        detector: of upright faces.
        grey: uint8 `(H, W)`, in which they were found.
        faces: what the keypoint network makes of the detections.
        detections: of the rotated images, in the same order, with scores.
        upright: the faces of the same image that were found without rotation.
        min_score: of all faces, 0–1.
    """
    least = max([min_score, SURE_SCORE, *(face.score + _MARGIN for face in upright)])
    accepted = []
    for face, score in zip(faces, detections.score_list(), strict=True):
        if score and MIN_SCORE <= face.score < SURE_SCORE:
            box, upright_score = _detect_upright(detector, grey, face)
            is_sure = face.score * (upright_score / score) ** DETECTOR_SCORE >= _UPRIGHT_SCORE
            face = replace(face, box=box, score=SURE_SCORE if is_sure else 0.0)
        if face.score >= least:
            accepted.append(face)
    return accepted


def _detect_upright(
    detector: Detector, grey: AnyGrey, face: Face
) -> tuple[NDArray[np.float32], float]:
    """Box and score of a face in a window rotated upright; 0 where nothing is detected there."""
    pose = fit_complex_mean_face(to_complex(face.keypoints))
    if pose is None:
        return face.box, 0.0
    factor, offset = crop_of_pose(pose, _FACE_SIDE)
    offset += (1 + 1j) * (_SIDE - _FACE_SIDE) / 2
    matrix = matrix_from_complex(factor, offset)
    found = detector(cut(grey, matrix, _SIDE), _SIDE)
    in_window = factor * pose[0], factor * pose[1] + offset
    expected = np.array(box_of_pose(in_window), np.float32)
    overlaps = intersection_over_union(found.boxes, expected[None])[:, 0]
    scores = np.where(overlaps > _MIN_IOU, np.asarray(found.scores), 0.0)
    if not scores.any():
        return face.box, 0.0
    box = fused_box(found.boxes[scores.argmax()], expected)
    return _in_image(box, invert(matrix)), float(scores.max())


def _in_image(box: NDArray[np.float32], matrix: Matrix) -> NDArray[np.float32]:
    """The box of a face in the image, stood upright about its crop's centre."""
    square = square_of_box(box)
    half = (square[2:] - 1) / 2
    sides = square[2:] * scale_of(matrix)
    corner = transform(matrix, square[:2] + half) - (sides - 1) / 2
    return box_of_square([*corner, *sides]).astype(np.float32)
