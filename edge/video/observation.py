"""Faces in one frame, as the tracker uses them: detected, or run where they are expected.

A tracked face is run once in most frames, which takes about a millisecond, so that every other step
counts.

Legend: S side of a crop.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.crop import cut_face
from edge.face import Face
from edge.geometry.affine import Similarity, matrix_from_complex, to_complex
from edge.geometry.face_frame import crop_of_pose, fit_complex_mean_face
from edge.image import Grey
from edge.networks.keypoint_model import KeypointModel
from edge.refinement import (
    CERTAIN_SCORE,
    MAX_SCORE_DROP,
    MIN_RERUN_SCORE,
    FacePass,
    run_pass,
)
from edge.video.luma import Luma


def observe(
    model: KeypointModel,
    image: Grey | Luma,
    crops: Sequence[Similarity],
    points68: bool = False,
) -> list[FacePass]:
    """Run the network where faces are expected, all at once; again where it framed them badly.

    Smoothing averages over frames, so that one pass on a crop that fits is enough.

    Args:
        model: the open network.
        image: the frame, as `edge.crop.cut_face` takes it.
        crops: for each face the similarity from the image to its crop.
        points68: predict the 68 points too.
    """
    observations = _run(model, image, crops, points68)
    again = {
        i: crop_of_pose(face.pose, model.size)
        for i, face in enumerate(observations)
        if face.score >= MIN_RERUN_SCORE and face.pose is not None and not face.is_framed()
    }
    if again:
        passes = _run(model, image, list(again.values()), points68)
        for i, face in zip(again, passes, strict=True):
            last = observations[i]
            if face.score >= min(last.score, CERTAIN_SCORE) / MAX_SCORE_DROP:
                face.score = max(face.score, last.score)
                observations[i] = face
    return observations


def observe_detected(face: Face, grey: Grey, size: int) -> FacePass | None:
    """A detected face in its upright crop; None where its keypoints coincide."""
    points = to_complex(face.keypoints)
    pose = fit_complex_mean_face(points)
    if pose is None:
        return None
    to_crop = crop_of_pose(pose, size)
    crop = cut_face(grey, matrix_from_complex(*to_crop), size)
    points68 = None if face.points68 is None else to_complex(face.points68)
    return FacePass(points, face.error, face.score, crop, to_crop, points68, face.error90)


def _run(
    model: KeypointModel, image: Grey | Luma, crops: Sequence[Similarity], points68: bool
) -> list[FacePass]:
    """Run the network once per face."""
    size = model.size
    cut = [(cut_face(image, matrix_from_complex(*crop), size), crop) for crop in crops]
    return run_pass(model, cut, points68)
