"""Things drawn on a canvas that small networks take for faces: text, wheels, discs, stripes, dots.

Legend: M boxes.
"""

from __future__ import annotations

import string

import cv2
import numpy as np
from numpy.typing import NDArray

_CHARACTERS = string.ascii_letters + string.digits + "%&@#?!"
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
)  # fmt: skip


def draw_distractors(
    pixels: NDArray[np.uint8], boxes: NDArray[np.float32], rng: np.random.Generator
) -> None:
    """Draw a few things into a canvas `(H, W)`, uint8, where no box `(M, 4)` is; in place."""
    for _ in range(int(rng.integers(1, 8))):
        size = int(np.exp(rng.uniform(np.log(8), np.log(120))))
        x, y = (int(rng.integers(0, side)) for side in pixels.shape[::-1])
        wide = size * (6 if rng.random() < 0.3 else 1)
        place = (x, y, min(wide, pixels.shape[1] - x), min(size, pixels.shape[0] - y))
        if place[2] < 6 or place[3] < 6 or _touches(place, boxes):
            continue
        patch = pixels[y : y + place[3], x : x + place[2]]
        _DRAWERS[rng.integers(len(_DRAWERS))](patch, rng)


def _touches(place: tuple[int, int, int, int], boxes: NDArray[np.float32]) -> bool:
    x, y, width, height = place
    apart = (
        (boxes[:, 0] > x + width) | (boxes[:, 0] + boxes[:, 2] < x)
        | (boxes[:, 1] > y + height) | (boxes[:, 1] + boxes[:, 3] < y)
    )  # fmt: skip
    return bool((~apart).any())


def _grey(rng: np.random.Generator) -> int:
    return int(rng.integers(0, 256))


def _text(patch: NDArray[np.uint8], rng: np.random.Generator) -> None:
    height, width = patch.shape
    if rng.random() < 0.5:
        patch[:] = _grey(rng)
    letters = "".join(rng.choice(list(_CHARACTERS), size=max(1, width // height * 2)))
    font = _FONTS[rng.integers(len(_FONTS))]
    scale = height / 30
    cv2.putText(
        patch, letters, (0, int(height * 0.85)), font, scale, _grey(rng),
        max(1, round(height / rng.uniform(6, 20))), cv2.LINE_AA,
    )  # fmt: skip


def _rings(patch: NDArray[np.uint8], rng: np.random.Generator) -> None:
    radius = min(patch.shape) // 2
    centre = (patch.shape[1] // 2, patch.shape[0] // 2)
    for _ in range(int(rng.integers(1, 5))):
        filled = rng.random() < 0.4
        cv2.circle(
            patch, centre, max(1, int(radius * rng.random())), _grey(rng),
            -1 if filled else max(1, radius // 8), cv2.LINE_AA,
        )  # fmt: skip
    for angle in np.arange(0, np.pi, np.pi / rng.integers(2, 9)):
        if rng.random() < 0.5:
            break
        way = (radius * np.array([np.cos(angle), np.sin(angle)])).astype(int)
        ends = [tuple(int(v) for v in np.array(centre) + sign * way) for sign in (-1, 1)]
        cv2.line(patch, ends[0], ends[1], _grey(rng), max(1, radius // 12), cv2.LINE_AA)


def _blobs(patch: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """An oval with a few spots that lie anywhere but where eyes and mouth would."""
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
    if rng.random() < 0.5:
        wave = np.sign(wave)
    patch[:] = np.clip(128 + wave * rng.uniform(20, 127), 0, 255).astype(np.uint8)


def _dots(patch: NDArray[np.uint8], rng: np.random.Generator) -> None:
    period = rng.uniform(3, 12)
    y, x = np.mgrid[: patch.shape[0], : patch.shape[1]]
    wave = np.sin(x * 2 * np.pi / period) * np.sin(y * 2 * np.pi / period)
    patch[:] = np.where(wave > rng.uniform(-0.5, 0.5), _grey(rng), _grey(rng)).astype(np.uint8)


def _noise(patch: NDArray[np.uint8], rng: np.random.Generator) -> None:
    coarse = max(1, min(patch.shape) // int(rng.integers(2, 12)))
    shape = (max(2, patch.shape[0] // coarse), max(2, patch.shape[1] // coarse))
    small = rng.integers(0, 256, size=shape).astype(np.uint8)
    patch[:] = cv2.resize(small, patch.shape[::-1], interpolation=cv2.INTER_CUBIC)


_DRAWERS = (_text, _text, _rings, _blobs, _stripes, _dots, _noise)
