"""Composition of training canvases: mosaics and single photos with faces pasted over them.

Every canvas shows faces of all sizes beside objects that a small network mistakes for faces. All
random numbers come from the generator passed in, in a fixed order, so that a canvas is reproducible
from its seed.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.geometry.affine import Matrix
from edge.geometry.similarity import similarity
from train.detector.boxes import sizes_of
from train.detector.canvas import (
    CANVAS,
    MIN_FACE,
    MIN_WARP_SCALE,
    Canvas,
    ignore_unusable,
    overlay,
    overlay_cell,
)
from train.detector.distractors import draw_distractors
from train.detector.photo_pool import (
    PhotoPool,
    Target,
    draw_cut_face,
    draw_negative,
    draw_patch,
    draw_photo,
)
from train.detector.photometric import change_light
from train.detector.photos import NO_BOXES, Photo

# Probabilities of the three layouts; mosaics have the most faces, backgrounds alone have none and
# teach what is not a face.
_MOSAIC_RATE = 0.25
_SINGLE_PHOTO_RATE = 0.53
_PASTE_RATE = 0.6  # of the canvases have single faces pasted over them
_MAX_PASTED = 8
_SOFT_PASTE_RATE = 0.5  # hard borders alone would mark a face
_DISTRACTOR_RATE = 0.35
_PLAIN_BACKGROUND_RATE = 0.08  # of one grey value, as in studio photos
_MOSAIC_CELLS = (2, 5)  # per side, half-open

_MIN_DRAWN_FACE = MIN_FACE * 1.2  # px; a little more, so that rotation does not make it too small
_MAX_FACE = 280.0  # px
_SMALL_FACE = 48.0  # px; half of the sizes are drawn below it: small faces are the hardest
_SMALL_FACE_RATE = 0.5
_MAX_SCALE = 2.5  # larger faces would consist of interpolated pixels
_MAX_BACKGROUND_LOG_SCALE = 0.7  # a background is enlarged up to twice what covers the canvas

_ROTATION_DEG = 8.0  # standard deviation of the usual rotation in the plane
_MAX_ROTATION_DEG = 45.0  # of the strongly rotated tenth
_STRONG_ROTATION_RATE = 0.1

# Where the centre of a face may lie, in parts of the canvas or the cell.
_SINGLE_PHOTO_CENTRE = (0.1, 0.9)
_CELL_CENTRE = (0.3, 0.7)
_PASTED_CENTRE = (0.05, 0.95)


def make_canvas(pool: PhotoPool, rng: np.random.Generator) -> Canvas:
    """Compose one random canvas."""
    canvas = _make_layout(pool, rng)
    if rng.random() < _PASTE_RATE:
        for _ in range(int(rng.integers(1, _MAX_PASTED + 1))):
            canvas = _paste(canvas, pool, rng)
    pixels = canvas.pixels
    if rng.random() < _DISTRACTOR_RATE:
        pixels = draw_distractors(pixels, canvas.boxes, rng)
    return ignore_unusable(replace(canvas, pixels=change_light(pixels, rng)))


def _make_layout(pool: PhotoPool, rng: np.random.Generator) -> Canvas:
    layout = rng.random()
    if layout < _MOSAIC_RATE:
        return _make_mosaic(pool, rng)
    if layout < _MOSAIC_RATE + _SINGLE_PHOTO_RATE:
        return _make_single_photo(pool, rng)
    return _make_background(pool, rng)


def _make_background(pool: PhotoPool, rng: np.random.Generator) -> Canvas:
    """A canvas without faces, filled by one grey value or by part of a negative photo."""
    if not pool.negatives or rng.random() < _PLAIN_BACKGROUND_RATE:
        plain = np.full((CANVAS, CANVAS), rng.integers(0, 256), np.uint8)
        return Canvas(plain, NO_BOXES, NO_BOXES)
    photo, target = draw_negative(pool, rng)
    matrix = _cover_canvas(photo, rng) if target is None else _place_target(target, rng)
    pixels = cv2.warpAffine(photo, matrix, (CANVAS, CANVAS), borderMode=cv2.BORDER_REFLECT_101)
    return Canvas(np.asarray(pixels, np.uint8), NO_BOXES, NO_BOXES)


def _cover_canvas(photo: NDArray[np.uint8], rng: np.random.Generator) -> Matrix:
    """A random part of a photo that covers the canvas."""
    scale = CANVAS / min(photo.shape) * np.exp(rng.uniform(0, _MAX_BACKGROUND_LOG_SCALE))
    half = CANVAS / scale / 2
    x, y = (
        rng.uniform(half, side - half) if side > 2 * half else side / 2
        for side in photo.shape[::-1]
    )
    return similarity(scale, 0.0, (x, y), (CANVAS / 2, CANVAS / 2))


def _place_target(target: Target, rng: np.random.Generator) -> Matrix:
    """A false positive at a random place and at the size of a face."""
    size = _draw_size(MIN_FACE, _MAX_FACE / 2, rng)
    scale = np.clip(size / target.size, MIN_WARP_SCALE, _MAX_SCALE)
    x, y = (rng.uniform(*_PASTED_CENTRE, size=2) * CANVAS).tolist()
    return similarity(scale, 0.0, (target.x, target.y), (x, y))


def _make_single_photo(pool: PhotoPool, rng: np.random.Generator) -> Canvas:
    """A photo over a background; the size of one of its faces is log-uniform."""
    photo, face = draw_photo(pool, rng)
    scale, centre = draw_scale(photo, _MAX_FACE, rng, face)
    target = rng.uniform(*_SINGLE_PHOTO_CENTRE, size=2) * CANVAS
    matrix = similarity(scale, _draw_rotation(rng), centre, (target[0], target[1]))
    return overlay(_make_background(pool, rng), photo, matrix)


def _make_mosaic(pool: PhotoPool, rng: np.random.Generator) -> Canvas:
    """A grid of two to four photos per side."""
    cells = int(rng.integers(*_MOSAIC_CELLS))
    edges = np.linspace(0, CANVAS, cells + 1).round().astype(int)
    canvas = _make_background(pool, rng)
    for top, bottom in pairwise(edges):
        for left, right in pairwise(edges):
            canvas = _fill_cell(canvas, (left, top, right, bottom), pool, rng)
    return canvas


def _fill_cell(
    canvas: Canvas, cell: tuple[int, int, int, int], pool: PhotoPool, rng: np.random.Generator
) -> Canvas:
    left, top, right, _ = cell
    side = right - left
    photo, face = draw_patch(pool, rng), None
    if photo is None:
        photo, face = draw_photo(pool, rng)
    scale, centre = draw_scale(photo, side * 0.9, rng, face)
    target = np.array([left, top]) + rng.uniform(*_CELL_CENTRE, size=2) * side
    matrix = similarity(scale, _draw_rotation(rng), centre, (target[0], target[1]))
    return overlay_cell(canvas, cell, photo, matrix)


def _paste(canvas: Canvas, pool: PhotoPool, rng: np.random.Generator) -> Canvas:
    """Overlay a single face, or a patch without a face, with hard or soft borders."""
    photo = draw_patch(pool, rng)
    if photo is None:
        if not pool.cut_faces:
            return canvas
        photo = draw_cut_face(pool, rng)
    scale, centre = draw_scale(photo, CANVAS / 3, rng)
    target = rng.uniform(*_PASTED_CENTRE, size=2) * CANVAS
    matrix = similarity(scale, _draw_rotation(rng), centre, (target[0], target[1]))
    return overlay(canvas, photo, matrix, soft=rng.random() < _SOFT_PASTE_RATE)


def draw_scale(
    photo: Photo, max_size: float, rng: np.random.Generator, face: int | None = None
) -> tuple[float, tuple[float, float]]:
    """A random scale that gives a face of a photo a size from the distribution of face sizes.

    Args:
        photo: with boxes; without any, all of it is scaled as a face would be.
        max_size: largest size of the face on the canvas, px.
        rng: random generator.
        face: index of the face; None draws one.

    Returns:
        The scale, and the centre of the face, px of the photo.
    """
    height, width = photo.pixels.shape
    boxes = photo.boxes if len(photo.boxes) else np.array([[0, 0, width, height]], np.float32)
    box = boxes[rng.integers(len(boxes)) if face is None else face]
    size = float(sizes_of(box[None])[0])
    scale = min(_draw_size(_MIN_DRAWN_FACE, max_size, rng) / size, _MAX_SCALE)
    return scale, (float(box[0] + box[2] / 2), float(box[1] + box[3] / 2))


def _draw_size(low: float, high: float, rng: np.random.Generator) -> float:
    """A log-uniform size, px; half of the sizes are drawn among the small ones."""
    if rng.random() < _SMALL_FACE_RATE:
        high = min(high, _SMALL_FACE)
    return float(np.exp(rng.uniform(np.log(low), np.log(max(high, low * 1.1)))))


def _draw_rotation(rng: np.random.Generator) -> float:
    """A random rotation in the plane, degrees."""
    if rng.random() < _STRONG_ROTATION_RATE:
        return float(rng.uniform(-_MAX_ROTATION_DEG, _MAX_ROTATION_DEG))
    return float(rng.normal(0, _ROTATION_DEG))
