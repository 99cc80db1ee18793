"""How far the eyes of faces are open, by the eye network.

Measured in each image by itself, so that smoothing does not shorten blinks: points that are
smoothed over time only say where the eyes are.

Legend: N faces, S side of a patch (32).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.crop import Levels, Windows, resize_window
from edge.face import Face
from edge.formats.arrays import check_rgb
from edge.geometry.affine import matrix_from_complex
from edge.geometry.eye_frame import PATCH, EyeFrames, eye_frames
from edge.image import Grey, Rgb
from edge.measures import Measure
from edge.networks.eye_model import EyeModel
from edge.video.luma import Luma

AnyImage = Grey | Windows | Levels

# A fifth of the opening of an open eye, as PERCLOS defines closed (Wierwille et al., 1994); the
# mean opening of the eyes that the network was trained on is 0.34 widths.
CLOSED_OPENING = 0.07
_LAST = PATCH - 1


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
    frames = [eye_frames(face.keypoints) for face in faces]
    patches = [cut_eyes(image, pair) for pair in frames if pair is not None]
    if not patches:
        return [None] * len(frames)
    opening, error = model(patches[0] if len(patches) == 1 else np.concatenate(patches))
    eyes = map(_state, opening.tolist(), error.tolist())
    return [None if pair is None else (next(eyes), next(eyes)) for pair in frames]


def cut_eyes(image: AnyImage, frames: EyeFrames) -> NDArray[np.uint8]:
    """The patches of the right eye and of the left one, mirrored.

    As `edge.crop.cut` cuts each, up to rounding, but from one part of the image that is resized to
    their scale once. Positions are complex numbers `x + iy`, as numpy takes several times as long
    for a few of them.

    Args:
        image: grey, or in several sizes.
        frames: of the eyes in it.

    Returns:
        uint8 `(2, S, S)`.
    """
    factor, origins = frames.factor, [frames.right, frames.left]
    if hasattr(image, "level"):
        # The scales of an image differ by a factor and half a pixel.
        image, matrix = image.level(matrix_from_complex(factor, frames.right))
        (a, _, x), (b, _, y) = matrix.tolist()
        shift = complex(x, y) - frames.right
        factor, origins = complex(a, b), [origin + shift for origin in origins]
    if isinstance(image, np.ndarray):
        image = _GreyWindows(image)  # so that grey and colour are rounded alike
    scale = abs(factor)
    turn = factor.conjugate() / scale  # from the patch to an upright frame of the same scale
    corners = [-origin * turn for origin in origins]
    # Of patch pixels from -1 to S, for the filter.
    reach = (PATCH + 1) / 2 * (abs(turn.real) + abs(turn.imag))
    middles = [corner + complex(_LAST, _LAST) / 2 * turn for corner in corners]
    left, right = (f(middle.real for middle in middles) for f in (min, max))
    top, bottom = (f(middle.imag for middle in middles) for f in (min, max))
    first = complex(left - reach, top - reach)
    size = math.ceil(bottom - top + 2 * reach) + 1, math.ceil(right - left + 2 * reach) + 1
    frame = resize_window(image, matrix_from_complex(complex(scale), -first), size)
    pair = [
        _rotate(frame, corners[0] - first, turn, 1),
        _rotate(frame, corners[1] + _LAST * turn - first, turn, -1),
    ]
    return np.frombuffer(b"".join(pair), np.uint8).reshape(2, PATCH, PATCH)


class _GreyWindows:
    """A grey image in parts, as `edge.video.luma.Luma` gives those of one in colour."""

    def __init__(self, grey: Grey) -> None:
        self._grey, self.shape, self.size = grey, grey.shape, grey.size

    def __getitem__(self, part: Any) -> Grey:
        return np.asarray(self._grey[part])

    def window(self, low: tuple[int, int], high: tuple[int, int]) -> Image.Image:
        return Image.fromarray(self._grey[low[1] : high[1], low[0] : high[0]])


def _rotate(frame: Image.Image, origin: complex, turn: complex, direction: int) -> bytes:
    """A patch whose first pixel is at `origin`, and whose columns go right (1) or left (-1)."""
    across, down = direction * turn, turn * 1j
    corner = origin + 0.5 + 0.5j - (across + down) / 2  # Pillow's pixel centres lie at .5
    coefficients = (across.real, down.real, corner.real, across.imag, down.imag, corner.imag)
    patch = frame.transform(
        (PATCH, PATCH), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR
    )
    return patch.tobytes()


def grey_of(image: Rgb | AnyImage) -> AnyImage:
    """A view of an image in colour, and any other as it is.

    Raises:
        ImageError: an array is neither uint8 `(H, W, 3)` nor `(H, W)`.
    """
    if isinstance(image, np.ndarray) and image.ndim != 2:
        return Luma(check_rgb(image))
    return image


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
