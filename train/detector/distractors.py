"""Drawn objects that small networks mistake for faces: text, wheels, discs, stripes, dots.

Legend: M boxes.
"""

from __future__ import annotations

import string

import cv2
import numpy as np
from numpy.typing import NDArray

_MAX_OBJECTS = 7
_SIZES = (8, 120)  # px, log-uniform
_MIN_SIDE = 6  # px, of an object cut off by the canvas's border
_WIDE_RATE = 0.3  # of the objects are six times as wide as high, as lines of text are
_WIDE_RATIO = 6
_FILLED_RATE = 0.4  # of the circles of a wheel; the others are rings
_SQUARE_WAVE_RATE = 0.5  # of the stripes; the others are sinusoidal
_PLAIN_TEXT_RATE = 0.5  # of the texts have a plain background
_NO_MORE_SPOKES_RATE = 0.5  # after each spoke, so that most wheels have few
_CHARACTERS = string.ascii_letters + string.digits + "%&@#?!"
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
)  # fmt: skip


def draw_distractors(
    pixels: NDArray[np.uint8], boxes: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Draw up to seven random objects on a canvas, none of which intersects a face.

    Args:
        pixels: uint8 `(H, W)`, not modified.
        boxes: float32 `(M, 4)`, the faces.
        rng: random generator.

    Returns:
        uint8 `(H, W)`.
    """
    drawn = pixels.copy()
    height, width = drawn.shape
    for _ in range(int(rng.integers(1, _MAX_OBJECTS + 1))):
        size = int(np.exp(rng.uniform(*np.log(_SIZES))))
        x, y = (int(rng.integers(0, side)) for side in (width, height))
        full_width = size * (_WIDE_RATIO if rng.random() < _WIDE_RATE else 1)
        box = (x, y, min(full_width, width - x), min(size, height - y))
        if min(box[2:]) < _MIN_SIDE or _intersects(box, boxes):
            continue
        patch = drawn[y : y + box[3], x : x + box[2]]
        _DRAW_FUNCTIONS[rng.integers(len(_DRAW_FUNCTIONS))](patch, rng)
    return drawn


def _intersects(box: tuple[int, int, int, int], boxes: NDArray[np.float32]) -> bool:
    x, y, width, height = box
    disjoint = (
        (boxes[:, 0] > x + width) | (boxes[:, 0] + boxes[:, 2] < x)
        | (boxes[:, 1] > y + height) | (boxes[:, 1] + boxes[:, 3] < y)
    )  # fmt: skip
    return bool((~disjoint).any())


def _grey(rng: np.random.Generator) -> int:
    return int(rng.integers(0, 256))


def _text(patch: NDArray[np.uint8], rng: np.random.Generator) -> None:
    height, width = patch.shape
    if rng.random() < _PLAIN_TEXT_RATE:
        patch[:] = _grey(rng)
    letters = "".join(rng.choice(list(_CHARACTERS), size=max(1, width // height * 2)))
    font = _FONTS[rng.integers(len(_FONTS))]
    scale = height / 30
    cv2.putText(
        patch, letters, (0, int(height * 0.85)), font, scale, _grey(rng),
        max(1, round(height / rng.uniform(6, 20))), cv2.LINE_AA,
    )  # fmt: skip


def _wheel(patch: NDArray[np.uint8], rng: np.random.Generator) -> None:
    radius = min(patch.shape) // 2
    centre = (patch.shape[1] // 2, patch.shape[0] // 2)
    for _ in range(int(rng.integers(1, 5))):
        filled = rng.random() < _FILLED_RATE
        cv2.circle(
            patch, centre, max(1, int(radius * rng.random())), _grey(rng),
            -1 if filled else max(1, radius // 8), cv2.LINE_AA,
        )  # fmt: skip
    for angle in np.arange(0, np.pi, np.pi / rng.integers(2, 9)):
        if rng.random() < _NO_MORE_SPOKES_RATE:
            break
        spoke = (radius * np.array([np.cos(angle), np.sin(angle)])).astype(int)
        ends = [tuple(int(v) for v in np.array(centre) + sign * spoke) for sign in (-1, 1)]
        cv2.line(patch, ends[0], ends[1], _grey(rng), max(1, radius // 12), cv2.LINE_AA)


def _blobs(patch: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """An ellipse with a few spots, all in the lower half: no arrangement of eyes and mouth."""
    height, width = patch.shape
    cv2.ellipse(
        patch, (width // 2, height // 2), (width // 2, height // 2), 0, 0, 360, _grey(rng), -1
    )
    for _ in range(int(rng.integers(0, 4))):
        spot = (int(rng.integers(0, width)), int(rng.integers(height // 2, height)))
        cv2.circle(patch, spot, max(1, min(height, width) // 8), _grey(rng), -1, cv2.LINE_AA)


def _stripes(patch: NDArray[np.uint8], rng: np.random.Generator) -> None:
    period = rng.uniform(3, max(4, max(patch.shape) / 2))
    angle = rng.uniform(0, np.pi)
    y, x = np.mgrid[: patch.shape[0], : patch.shape[1]]
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
    if rng.random() < _SQUARE_WAVE_RATE:
        wave = np.sign(wave)
    patch[:] = np.clip(128 + wave * rng.uniform(20, 127), 0, 255).astype(np.uint8)


def _dots(patch: NDArray[np.uint8], rng: np.random.Generator) -> None:
    period = rng.uniform(3, 12)
    y, x = np.mgrid[: patch.shape[0], : patch.shape[1]]
    wave = np.sin(x * 2 * np.pi / period) * np.sin(y * 2 * np.pi / period)
    patch[:] = np.where(wave > rng.uniform(-0.5, 0.5), _grey(rng), _grey(rng)).astype(np.uint8)


def _noise(patch: NDArray[np.uint8], rng: np.random.Generator) -> None:
    cell = max(1, min(patch.shape) // int(rng.integers(2, 12)))
    shape = (max(2, patch.shape[0] // cell), max(2, patch.shape[1] // cell))
    small = rng.integers(0, 256, size=shape).astype(np.uint8)
    patch[:] = cv2.resize(small, patch.shape[::-1], interpolation=cv2.INTER_CUBIC)


# Listed twice, text is drawn twice as often as each of the others.
_DRAW_FUNCTIONS = (_text, _text, _wheel, _blobs, _stripes, _dots, _noise)
