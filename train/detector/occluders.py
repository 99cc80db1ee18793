"""Masks and hats drawn over faces, for photos in which few people wear them.

Legend: M boxes. A box is x, y, width, height in px (`train.detector.boxes`).
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from train.detector.photos import Photo

# Corners of a mask in parts of a face's box, clockwise as seen from its top left; (9, 2).
_CORNERS = np.array(
    [[0.06, 0.50], [0.30, 0.47], [0.50, 0.41], [0.70, 0.47], [0.94, 0.50],
     [0.88, 0.84], [0.62, 1.03], [0.38, 1.03], [0.12, 0.84]]
)  # fmt: skip
# Likewise of a hat or a hood's edge, whose rim lies on the forehead; (8, 2).
_HAT = np.array(
    [[-0.12, 0.10], [0.18, 0.02], [0.50, 0.00], [0.82, 0.02], [1.12, 0.10],
     [1.02, -0.30], [0.50, -0.50], [-0.02, -0.30]]
)  # fmt: skip
_RIM = slice(0, 5)
_RIM_LOWER = (-0.04, 0.2)  # of a box's height, by which it is drawn down, at least and at most
_JITTER = 0.035  # of a box's sides, of each corner
_LOWER = 0.2  # of a box's height, by which a badly worn mask hangs
_EARS = ((0, (0.0, 0.38)), (4, (1.0, 0.38)))  # corners with a string, and where it ends
_LEAST = 6.0  # px, of a box; smaller masks are nothing but a spot


def cover_faces(photo: Photo, masks: bool, hats: bool, rng: np.random.Generator) -> Photo:
    """A copy of a photo in which about two faces of three wear a mask, a hat or both."""
    if not masks and not hats:
        return photo
    pixels = photo.pixels.copy()
    for box in photo.boxes:
        if rng.random() < 0.7 and box[2:].min() >= _LEAST:
            if masks:
                _put_on_mask(pixels, box, rng)
            if hats:
                _put_on_hat(pixels, box, rng)
    return replace(photo, pixels=pixels)


def _put_on_hat(
    pixels: NDArray[np.uint8], box: NDArray[np.float32], rng: np.random.Generator
) -> None:
    corners = _HAT + rng.normal(0, _JITTER, _HAT.shape)
    corners[_RIM] += [0.0, rng.uniform(*_RIM_LOWER)]
    _fill(pixels, box[:2] + corners * box[2:], rng)


def _put_on_mask(
    pixels: NDArray[np.uint8], box: NDArray[np.float32], rng: np.random.Generator
) -> None:
    corners = _CORNERS + rng.normal(0, _JITTER, _CORNERS.shape)
    if rng.random() < 0.15:
        corners[:5, 1] += rng.uniform(0, _LOWER)
    corners = box[:2] + corners * box[2:]
    if not _fill(pixels, corners, rng):
        return
    for corner, ear in _EARS:
        if rng.random() < 0.6:
            ends = [corners[corner], box[:2] + np.array(ear) * box[2:]]
            (x, y), end = (tuple(int(v) for v in np.rint(point)) for point in ends)
            cv2.line(pixels, (x, y), end, int(rng.integers(60, 256)), 1, cv2.LINE_AA)


def _fill(
    pixels: NDArray[np.uint8], corners: NDArray[np.floating], rng: np.random.Generator
) -> bool:
    """Lay cloth over what lies between corners `(K, 2)` px; False where that is nothing."""
    low = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, pixels.shape[::-1])
    if (high - low < 3).any():
        return False
    part = pixels[low[1] : high[1], low[0] : high[0]]
    cover = np.zeros(part.shape, np.uint8)
    cv2.fillPoly(cover, [np.rint(corners - low).astype(np.int32)], 255, cv2.LINE_AA)
    share = cover.astype(np.float32) / 255 * rng.uniform(0.85, 1.0)
    part[:] = (part + (_cloth(part, rng) - part) * share).astype(np.uint8)
    return True


def _cloth(part: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """A grey with folds, and lit as the face under it is."""
    grey = 255 * rng.beta(1.6, 1.0)
    coarse = cv2.resize(part, (4, 4), interpolation=cv2.INTER_AREA)
    light = cv2.resize(coarse, part.shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)
    folds = np.sin(np.linspace(0, 1, len(part)) * rng.uniform(5, 25)) * rng.uniform(0, 14)
    cloth = grey + (light - light.mean()) * rng.uniform(0, 0.8) + folds[:, None]
    return np.asarray(np.clip(cloth, 0, 255), np.float32)
