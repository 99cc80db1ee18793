"""The keypoint network on faces of whole pictures: cut out, predicted, mapped back.

A face that is turned, small in its crop or off its centre is looked at twice: what the first look
found says how the face lies, and the second sees it upright and framed as the training faces were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.crop import cut
from edge.framing import tilt_deg, upright_matrix
from edge.geometry import Matrix, invert, scale_of, transform
from edge.image import Grey
from edge.model import KeypointModel

# A second look costs as much as the first; within these limits it did not bring the points nearer.
_MAX_TILT_DEG = 15.0
_MIN_SCORE = 0.05  # below it the first look found nothing to go by


@dataclass(frozen=True, slots=True)
class Look:
    """What the network says of one face.

    Attributes:
        keypoints: float32 `(15, 2)` px of the picture.
        error: float32 `(15,)` px of the picture, the radius that holds half of the true points.
        score: face score, 0–1.
    """

    keypoints: NDArray[np.float32]
    error: NDArray[np.float32]
    score: float


def look(
    model: KeypointModel, pictures: Sequence[Grey], matrices: Sequence[Matrix], twice: bool = True
) -> list[Look]:
    """Predict keypoints of faces; all faces share the network's batches.

    Args:
        model: the open network.
        pictures: for each face the picture it is in, grey, uint8 `(H, W)`.
        matrices: for each face the matrix from the picture to its crop.
        twice: whether turned faces get a second look.

    Returns:
        One result per face.
    """
    first = _look_once(model, pictures, matrices)
    if not twice:
        return first
    closer = {i: _closer(face, model.size) for i, face in enumerate(first)}
    again = {i: matrix for i, matrix in closer.items() if matrix is not None}
    second = _look_once(model, [pictures[i] for i in again], list(again.values()))
    for i, face in zip(again, second, strict=True):
        if face.score >= min(first[i].score, 0.5):
            first[i] = face
    return first


def _closer(face: Look, size: int) -> Matrix | None:
    turned = abs(tilt_deg(face.keypoints)) > _MAX_TILT_DEG
    return upright_matrix(face.keypoints, size) if turned and face.score >= _MIN_SCORE else None


def _look_once(
    model: KeypointModel, pictures: Sequence[Grey], matrices: Sequence[Matrix]
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
        )
        for matrix, points, error, score in zip(matrices, *model(np.stack(crops)), strict=True)
    ]
