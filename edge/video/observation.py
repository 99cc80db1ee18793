"""One face in one frame, as the tracker uses it: detected, or run where it is expected.

A tracked face is run once in most frames, which takes about a millisecond, so that every other step
counts: points are complex numbers `x + iy`, and a similarity is a pair of them, factor and offset,
which takes z to factor · z + offset. Both cost a fraction of small matrices in numpy.

Legend: N faces, K keypoints, S side of a crop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edge.crop import cut_face
from edge.face import Face
from edge.geometry.affine import Complex, matrix_from_complex, to_complex
from edge.geometry.face_frame import (
    BOX_DOWN,
    BOX_HEIGHT,
    BOX_WIDTH,
    CROP,
    fit_complex_mean_face,
)
from edge.image import Grey
from edge.networks.keypoint_model import KeypointModel, Prediction
from edge.refinement import CERTAIN_SCORE, MAX_SCORE_DROP, MIN_RERUN_SCORE, frames_well
from edge.video.luma import Luma

Similarity = tuple[complex, complex]  # factor and offset
Box = tuple[float, float, float, float]  # x, y, width, height, px

_CENTRE = (1 + 1j) * (CROP - 1) / 2  # of the mean face's crop


@dataclass(eq=False)  # without slots, which leave no room for cached properties
class Observation:
    """A face in a frame.

    Attributes:
        points: complex128 `(K,)`, the keypoints, px of the image.
        error: float32 `(K,)` px, as of `edge.face.Face`.
        score: of the face, 0–1.
        crop: uint8 `(S, S)`, the network's input.
        to_crop: the similarity from the image to the crop.
        points68: complex128 `(68,)` px, or None.
        error90: float32 `(K,)` px, or None.
    """

    points: Complex
    error: NDArray[np.float32]
    score: float
    crop: NDArray[np.uint8]
    to_crop: Similarity
    points68: Complex | None = None
    error90: NDArray[np.float32] | None = None

    @cached_property
    def pose(self) -> Similarity | None:
        """The similarity from the mean face to the image; None where the keypoints coincide."""
        return fit_complex_mean_face(self.points)

    @cached_property
    def centroid(self) -> complex:
        """The mean of the keypoints, px."""
        return complex(self.points.sum()) / len(self.points)

    @cached_property
    def box(self) -> Box:
        """The face's box from its keypoints: x, y, width, height, px."""
        if self.pose is not None:
            return box_of_complex_pose(self.pose)
        x, y = self.points.real, self.points.imag
        left, top = float(x.min()), float(y.min())
        return left, top, float(x.max()) - left, float(y.max()) - top

    @property
    def keypoints(self) -> NDArray[np.float32]:
        """The keypoints, float32 `(K, 2)` px."""
        return to_points(self.points)

    @property
    def is_centred(self) -> bool:
        """Whether its crop shows the face upright, centred and at the right scale."""
        if self.pose is None:
            return True  # there is no better crop
        pose = matrix_from_complex(*self.pose)
        return frames_well(matrix_from_complex(*self.to_crop), pose, len(self.crop))


def to_points(points: Complex) -> NDArray[np.float32]:
    """Complex points `(N,)` as float32 `(N, 2)`."""
    return points.astype(np.complex64).view(np.float32).reshape(-1, 2)


def box_of_complex_pose(pose: Similarity) -> Box:
    """As `edge.geometry.face_frame.box_of_pose`."""
    factor, offset = pose
    centre = factor * _CENTRE + offset
    side = abs(factor) * CROP
    width, height = BOX_WIDTH * side, BOX_HEIGHT * side
    # The box of a square begins at its first edge, half a pixel before its first pixel's centre.
    left = centre.real - (side - 1) / 2 + (side - width) / 2
    top = centre.imag - (side - 1) / 2 + (side - height) / 2 + BOX_DOWN * side
    return left, top, width, height


def crop_of_pose(pose: Similarity, size: int, is_rotated: bool) -> Similarity:
    """The similarity to the `size`×`size` px crop of a pose, rotated upright or not."""
    factor, offset = pose
    scale = (size / CROP) / (factor if is_rotated else abs(factor))
    return scale, (1 + 1j) * (size - 1) / 2 - scale * (factor * _CENTRE + offset)


def observe(
    model: KeypointModel,
    image: Grey | Luma,
    crops: Sequence[Similarity],
    points68: bool = False,
) -> list[Observation]:
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
        i: crop_of_pose(face.pose, model.size, True)
        for i, face in enumerate(observations)
        if face.score >= MIN_RERUN_SCORE and face.pose is not None and not face.is_centred
    }
    if again:
        passes = _run(model, image, list(again.values()), points68)
        for i, face in zip(again, passes, strict=True):
            last = observations[i]
            if face.score >= min(last.score, CERTAIN_SCORE) / MAX_SCORE_DROP:
                face.score = max(face.score, last.score)
                observations[i] = face
    return observations


def observe_detected(face: Face, grey: Grey, size: int) -> Observation | None:
    """A detected face in its upright crop; None where its keypoints coincide."""
    points = to_complex(face.keypoints)
    pose = fit_complex_mean_face(points)
    if pose is None:
        return None
    to_crop = crop_of_pose(pose, size, True)
    crop = cut_face(grey, matrix_from_complex(*to_crop), size)
    points68 = None if face.points68 is None else to_complex(face.points68)
    return Observation(points, face.error, face.score, crop, to_crop, points68, face.error90)


def _run(
    model: KeypointModel, image: Grey | Luma, crops: Sequence[Similarity], points68: bool
) -> list[Observation]:
    """Run the network once per face."""
    if not crops:
        return []
    faces = np.empty((len(crops), model.size, model.size), np.uint8)
    for face, to_crop in zip(faces, crops, strict=True):
        face[...] = cut_face(image, matrix_from_complex(*to_crop), model.size)
    prediction = model(faces, points68)
    return [_in_image(prediction, i, faces[i], to_crop) for i, to_crop in enumerate(crops)]


def _in_image(
    prediction: Prediction, i: int, crop: NDArray[np.uint8], to_crop: Similarity
) -> Observation:
    """Face `i` of a prediction, in px of the image."""
    factor, offset = to_crop
    back, shift, px = 1 / factor, -offset / factor, 1 / abs(factor)
    points68, error90 = prediction.points68, prediction.error90
    return Observation(
        to_complex(prediction.keypoints[i]) * back + shift,
        prediction.error[i] * px,
        float(prediction.face_score[i]),
        crop,
        to_crop,
        None if points68 is None else to_complex(points68[i]) * back + shift,
        None if error90 is None else error90[i] * px,
    )
