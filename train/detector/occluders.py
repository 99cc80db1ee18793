"""Synthetic occluders: masks and hats drawn over faces, for sets in which few people wear them.

Legend: M boxes. A box is x, y, width, height in px (`train.detector.boxes`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from train.detector.photos import Photo

P = TypeVar("P", bound=Photo)

# Polygon of a mask in parts of a face's box, clockwise from the top left; (9, 2).
_MASK = np.array(
    [[0.06, 0.50], [0.30, 0.47], [0.50, 0.41], [0.70, 0.47], [0.94, 0.50],
     [0.88, 0.84], [0.62, 1.03], [0.38, 1.03], [0.12, 0.84]]
)  # fmt: skip
# Polygon of a hat or hood, whose rim is on the forehead; (8, 2).
_HAT = np.array(
    [[-0.12, 0.10], [0.18, 0.02], [0.50, 0.00], [0.82, 0.02], [1.12, 0.10],
     [1.02, -0.30], [0.50, -0.50], [-0.02, -0.30]]
)  # fmt: skip
_RIM = slice(0, 5)  # of a hat's polygon
_UPPER_EDGE = slice(0, 5)  # of a mask's polygon
_RIM_OFFSET = (-0.04, 0.2)  # of a hat's rim, in heights of the box
_JITTER = 0.035  # standard deviation of each corner, in sides of the box
_MAX_MASK_OFFSET = 0.2  # of a badly worn mask's upper edge, in heights of the box
_BADLY_WORN_RATE = 0.15  # below the nose, rare enough that most masks cover it
_STRING_RATE = 0.6  # of the strings are visible; hair hides the others
_STRINGS = ((0, (0.0, 0.38)), (4, (1.0, 0.38)))  # corner of the mask, and the ear in the box
_MIN_FACE = 6.0  # px; on smaller faces an occluder would be a spot
_OCCLUDED_RATE = 0.7  # of the faces of a chosen photo; in a group some wear nothing


def cover_faces(photo: P, masks: bool, hats: bool, rng: np.random.Generator) -> P:
    """Draw masks, hats or both over about two faces of three.

    Args:
        photo: not modified.
        masks: whether to draw masks.
        hats: whether to draw hats.
        rng: random generator.

    Returns:
        A copy of the photo; the photo itself if neither is drawn.
    """
    if not masks and not hats:
        return photo
    pixels = photo.pixels.copy()
    for box in photo.boxes:
        if rng.random() < _OCCLUDED_RATE and box[2:].min() >= _MIN_FACE:
            if masks:
                _draw_mask(pixels, box, rng)
            if hats:
                _draw_hat(pixels, box, rng)
    return replace(photo, pixels=pixels)


def _draw_hat(
    pixels: NDArray[np.uint8], box: NDArray[np.float32], rng: np.random.Generator
) -> None:
    corners = _HAT + rng.normal(0, _JITTER, _HAT.shape)
    corners[_RIM] += [0.0, rng.uniform(*_RIM_OFFSET)]
    _fill(pixels, box[:2] + corners * box[2:], rng)


def _draw_mask(
    pixels: NDArray[np.uint8], box: NDArray[np.float32], rng: np.random.Generator
) -> None:
    corners = _MASK + rng.normal(0, _JITTER, _MASK.shape)
    if rng.random() < _BADLY_WORN_RATE:
        corners[_UPPER_EDGE, 1] += rng.uniform(0, _MAX_MASK_OFFSET)
    corners = box[:2] + corners * box[2:]
    if not _fill(pixels, corners, rng):
        return
    for corner, ear in _STRINGS:
        if rng.random() < _STRING_RATE:
            ends = [corners[corner], box[:2] + np.array(ear) * box[2:]]
            (x, y), end = (tuple(int(v) for v in np.rint(point)) for point in ends)
            cv2.line(pixels, (x, y), end, int(rng.integers(60, 256)), 1, cv2.LINE_AA)


def _fill(
    pixels: NDArray[np.uint8], corners: NDArray[np.floating], rng: np.random.Generator
) -> bool:
    """Fill a polygon `(K, 2)` px with cloth, in place; False if it is outside or too small."""
    low = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, pixels.shape[::-1])
    if (high - low < 3).any():
        return False
    region = pixels[low[1] : high[1], low[0] : high[0]]
    mask = np.zeros(region.shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(corners - low).astype(np.int32)], 255, cv2.LINE_AA)
    opacity = mask.astype(np.float32) / 255 * rng.uniform(0.85, 1.0)
    region[:] = (region + (_cloth(region, rng) - region) * opacity).astype(np.uint8)
    return True


def _cloth(region: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """A grey texture with folds, under the lighting of the face below it."""
    grey = 255 * rng.beta(1.6, 1.0)
    coarse = cv2.resize(region, (4, 4), interpolation=cv2.INTER_AREA)
    light = cv2.resize(coarse, region.shape[::-1], interpolation=cv2.INTER_LINEAR).astype(
        np.float32
    )
    folds = np.sin(np.linspace(0, 1, len(region)) * rng.uniform(5, 25)) * rng.uniform(0, 14)
    cloth = grey + (light - light.mean()) * rng.uniform(0, 0.8) + folds[:, None]
    return np.asarray(np.clip(cloth, 0, 255), np.float32)
