"""How far the eyes of faces are open, by the eye network.

Measured in each image by itself, so that smoothing does not shorten blinks: points that are
smoothed over time only say where the eyes are.

Legend: N faces.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.crop import Levels, Windows, cut
from edge.face import Face
from edge.formats.arrays import check_rgb
from edge.geometry.affine import Matrix
from edge.geometry.eye_frame import PATCH, eye_matrices, mirrored
from edge.image import Grey, Rgb
from edge.measures import Measure
from edge.networks.eye_model import EyeModel
from edge.video.luma import Luma

AnyImage = Grey | Windows | Levels

# A fifth of the opening of an open eye, as PERCLOS defines closed (Wierwille et al., 1994); the
# mean opening of the eyes that the network was trained on is 0.34 widths.
CLOSED_OPENING = 0.07


@dataclass(frozen=True, slots=True)
class EyeState:
    """One eye: its opening in widths of the eye, and the probability that it is closed."""

    opening: Measure
    closed: float


def measure_eyes(
    model: EyeModel, image: AnyImage, faces: Sequence[Face]
) -> list[tuple[EyeState, EyeState] | None]:
    """Measure the right and the left eye of each face.

    Args:
        model: the open eye network.
        image: grey, as `edge.crop.cut` takes it, or in several sizes.
        faces: in px of the image.

    Returns:
        For each face its right and left eye; None where its keypoints coincide.
    """
    matrices = [eye_matrices(np.asarray(face.keypoints, np.float64)) for face in faces]
    patches = []
    for pair in matrices:
        if pair is not None:
            right, left = (cut_any(image, matrix, PATCH) for matrix in pair)
            patches += [right, mirrored(left)]
    if not patches:
        return [None] * len(matrices)
    opening, error = model(np.stack(patches))
    eyes = map(_state, opening.tolist(), error.tolist())
    return [None if pair is None else (next(eyes), next(eyes)) for pair in matrices]


def grey_of(image: Rgb | AnyImage) -> AnyImage:
    """A view of an image in colour, and any other as it is.

    Raises:
        ImageError: an array is neither uint8 `(H, W, 3)` nor `(H, W)`.
    """
    if isinstance(image, np.ndarray) and image.ndim != 2:
        return Luma(check_rgb(image))
    return image


def cut_any(image: AnyImage, matrix: Matrix, size: int) -> NDArray[np.uint8]:
    """As `edge.crop.cut`, of an image that may be there in several sizes."""
    if hasattr(image, "level"):
        image, matrix = image.level(matrix)
    return cut(image, matrix, size)


def _state(opening: float, error: float) -> EyeState:
    return EyeState(Measure(max(opening, 0.0), error), closed_probability(opening, error))


def closed_probability(opening: float, error: float) -> float:
    """The probability that an eye is closed, by the distribution of the network's errors.

    They are distributed as Laplace's, whose median is the probable error.
    """
    scale = error / math.log(2)
    distance = (CLOSED_OPENING - opening) / scale
    tail = 0.5 * math.exp(-abs(distance))
    return 1 - tail if distance > 0 else tail
