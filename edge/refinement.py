"""The keypoint network on faces of whole pictures: cut out, predicted, mapped back.

A face that is tilted, off the middle of its crop or of another size is looked at again: what the
last look found says how the face lies, and the next sees it upright and framed as the training
faces were. One further look is mostly enough; a crop that hardly holds the face may take more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edge.crop import cut
from edge.geometry.affine import Matrix, compose, invert, scale_of, transform, turn_of
from edge.geometry.face_frame import CROP, box_around, overlay, stand_up
from edge.image import Grey, Luma
from edge.keypoints import KEYPOINT_NAMES
from edge.networks.keypoint_model import KeypointModel, Prediction

# Each look costs as much as the first. With these limits lfpw's photos take 0.4 further looks each;
# limits two thirds as wide took 0.7, for points nearer by 0.4 %. Without further looks, points were
# 0.5 % further off.
MAX_TILT_DEG = 15.0
MAX_LOG_SCALE = 0.15
MAX_SHIFT = 0.06  # of the crop's side
MIN_SCORE = 0.1  # below it what a detector took for a face is not looked at again
LOOKS = 4  # at most; held-out faces framed up to twice too large or small gained nothing by a fifth


@dataclass(frozen=True)  # without slots, which leave no place for what is worked out once
class Look:
    """What the network says of one face.

    Attributes:
        keypoints: float32 `(15, 2)` px of the picture.
        error: float32 `(15,)` px of the picture, the radius that holds half of the true points.
        score: face score, 0–1; of several looks at a face, that of the surest.
        crop: uint8 `(S, S)`, what the network saw.
        matrix: from the picture to it.
    """

    keypoints: NDArray[np.float32]
    error: NDArray[np.float32]
    score: float
    crop: NDArray[np.uint8]
    matrix: Matrix

    @cached_property
    def lying(self) -> Matrix | None:
        """How the face lies, by `edge.geometry.face_frame.overlay`."""
        return overlay(self.keypoints)

    @cached_property
    def middle(self) -> NDArray[np.float64]:
        """The mean of the keypoints, float64 `(2,)` px."""
        return np.asarray(self.keypoints.mean(axis=0), np.float64)

    @cached_property
    def box(self) -> NDArray[np.float32]:
        """The face's box from its keypoints, float32 `(4,)` px."""
        if self.lying is None:
            low, high = self.keypoints.min(axis=0), self.keypoints.max(axis=0)
            return np.array([*low, *(high - low)], np.float32)
        return box_around(self.lying)


def look(
    model: KeypointModel,
    pictures: Sequence[Grey | Luma],
    matrices: Sequence[Matrix],
    looks: int = LOOKS,
    least: float = MIN_SCORE,
) -> list[Look]:
    """Predict keypoints of faces; all faces share the network's batches.

    Args:
        model: the open network.
        pictures: for each face the picture it is in, grey, as `edge.crop.cut` takes it.
        matrices: for each face the matrix from the picture to its crop.
        looks: how often a face that lies badly in its crop is looked at, at most.
        least: face score from which on it is looked at again; 0 where it is known to be a face.

    Returns:
        One result per face.
    """
    found = _look_once(model, pictures, matrices)
    lying = dict(enumerate(matrices))  # the crop each face was last seen in
    for _ in range(looks - 1):
        closer = {i: _closer(found[i], m, model.size, least) for i, m in lying.items()}
        again = {i: matrix for i, matrix in closer.items() if matrix is not None}
        seen = _look_once(model, [pictures[i] for i in again], list(again.values()))
        lying = {}
        for (i, matrix), face in zip(again.items(), seen, strict=True):
            if face.score >= min(found[i].score, 0.5) / 2:  # the crop has not lost the face
                surest = max(face.score, found[i].score)
                found[i], lying[i] = replace(face, score=surest), matrix
    return found


def look_at_crops(model: KeypointModel, crops: NDArray[np.uint8]) -> Prediction:
    """Predict keypoints of faces that are cut out already; those that lie badly are cut again.

    Args:
        model: the open network.
        crops: uint8 `(N, S, S)`, grey, of the network's own size.

    Returns:
        keypoints float32 `(N, 15, 2)`, error float32 `(N, 15)`, both px of the crop, and score
        float32 `(N,)`.
    """
    same = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    faces = look(model, list(crops), [same] * len(crops), least=0.0)
    count = len(KEYPOINT_NAMES)
    return (
        np.array([face.keypoints for face in faces], np.float32).reshape(-1, count, 2),
        np.array([face.error for face in faces], np.float32).reshape(-1, count),
        np.array([face.score for face in faces], np.float32),
    )


def _closer(face: Look, matrix: Matrix, size: int, least: float) -> Matrix | None:
    """The crop for a further look, or None where the face lies well in its last."""
    if face.score < least or face.lying is None:
        return None
    in_crop = compose(matrix, face.lying)  # from the mean face's crop
    (a, b, x), (c, d, y) = in_crop.tolist()
    middle, other = (CROP - 1) / 2, (size - 1) / 2
    away = math.hypot((a + b) * middle + x - other, (c + d) * middle + y - other)
    lies_well = (
        abs(turn_of(in_crop)) <= MAX_TILT_DEG
        and abs(math.log(scale_of(in_crop) * CROP / size)) <= MAX_LOG_SCALE
        and away <= MAX_SHIFT * size
    )
    return None if lies_well else stand_up(face.lying, size)


def _look_once(
    model: KeypointModel, pictures: Sequence[Grey | Luma], matrices: Sequence[Matrix]
) -> list[Look]:
    pairs = zip(pictures, matrices, strict=True)
    crops = [cut(picture, matrix, model.size) for picture, matrix in pairs]
    if not crops:
        return []
    return [
        Look(
            keypoints=transform(invert(matrix), points).astype(np.float32),
            error=(error / scale_of(matrix)).astype(np.float32),
            score=float(score),
            crop=crop,
            matrix=matrix,
        )
        for crop, matrix, points, error, score in zip(
            crops, matrices, *model(np.stack(crops)), strict=True
        )
    ]
