"""Training canvases: overlaying photos and keeping track of which faces remain visible.

Legend: M boxes. A box is x, y, width, height in px (`train.detector.boxes`).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.geometry.affine import Matrix, compose, scale_of, transform
from edge.geometry.boxes import pairwise_intersection
from train.detector.boxes import move_boxes, sizes_of
from train.detector.photos import NO_BOXES, Boxes, Photo

CANVAS = 320  # px; a multiple of 32 at which cells of stride 32 see more than padding
MIN_FACE = 8.0  # px; smaller faces are ignored in training
MIN_WARP_SCALE = 0.6  # below it an image is first reduced, since bilinear warping skips pixels
_MIN_INSIDE = 0.6  # share of a box inside the canvas or cell below which the face is ignored
_MIN_OCCLUDED = 0.25  # occluded share of a box from which on the face is ignored
_MIN_HIDDEN = 0.6  # occluded share of a box from which on the face counts as background
_OVAL_RADIUS = 1.05  # of the soft mask, in half sides of the image
_OVAL_SLOPE = 4.0  # 1 / width of the mask's edge, in half sides


@dataclass(frozen=True, slots=True)
class Canvas:
    """One training image.

    Attributes:
        pixels: uint8 `(320, 320)`, grey.
        boxes: float32 `(M, 4)`, faces to be detected.
        ignored: float32 `(M, 4)`, regions excluded from the loss.
    """

    pixels: NDArray[np.uint8]
    boxes: Boxes
    ignored: Boxes


def overlay(canvas: Canvas, photo: Photo, matrix: Matrix, soft: bool = False) -> Canvas:
    """Overlay a photo on a canvas.

    Args:
        canvas: the background.
        photo: with its boxes.
        matrix: from photo to canvas.
        soft: whether to blend an oval part of the photo instead of all of it.

    Returns:
        A new canvas. Faces of the background that are mostly occluded are removed, those that are
        partly occluded become ignored.
    """
    height, width = photo.pixels.shape
    covered = move_boxes(np.array([[0, 0, width, height]], np.float32), matrix)
    occluded = share_inside(canvas.boxes, covered)
    partly = (occluded >= _MIN_OCCLUDED) & (occluded < _MIN_HIDDEN)
    visible = share_inside(canvas.ignored, covered) < _MIN_HIDDEN
    return Canvas(
        _blend(canvas.pixels, photo.pixels, matrix, soft),
        np.concatenate([canvas.boxes[occluded < _MIN_OCCLUDED], move_boxes(photo.boxes, matrix)]),
        np.concatenate(
            [canvas.ignored[visible], canvas.boxes[partly], move_boxes(photo.ignored, matrix)]
        ),
    )


def overlay_cell(
    canvas: Canvas, cell: tuple[int, int, int, int], photo: Photo, matrix: Matrix
) -> Canvas:
    """Overlay a photo on one cell of a mosaic.

    Args:
        canvas: the mosaic so far.
        cell: left, top, right and bottom, px.
        photo: with its boxes; faces cut off by the cell's border become ignored.
        matrix: from photo to canvas.
    """
    left, top, right, bottom = cell
    single = overlay(Canvas(canvas.pixels, NO_BOXES, NO_BOXES), photo, matrix)
    pixels = canvas.pixels.copy()
    pixels[top:bottom, left:right] = single.pixels[top:bottom, left:right]
    window = np.array([[left, top, right - left, bottom - top]], np.float32)
    complete = share_inside(single.boxes, window) > _MIN_INSIDE
    ignored = clip_boxes(np.concatenate([single.ignored, single.boxes[~complete]]), window[0])
    return Canvas(
        pixels,
        np.concatenate([canvas.boxes, single.boxes[complete]]),
        np.concatenate([canvas.ignored, ignored]),
    )


def ignore_unusable(canvas: Canvas) -> Canvas:
    """Move faces that are too small or mostly outside the canvas to the ignored boxes."""
    window = np.array([[0, 0, CANVAS, CANVAS]], np.float32)
    inside = share_inside(canvas.boxes, window)
    usable = (inside >= _MIN_INSIDE) & (sizes_of(canvas.boxes) >= MIN_FACE)
    unusable = ~usable & (inside > 0)
    ignored = np.concatenate([canvas.ignored, canvas.boxes[unusable]])
    return Canvas(canvas.pixels, canvas.boxes[usable], ignored)


def clip_boxes(boxes: Boxes, window: NDArray[np.float32]) -> Boxes:
    """Clip boxes `(M, 4)` to a window `(4,)`; boxes outside it are removed."""
    low = np.maximum(boxes[:, :2], window[:2])
    high = np.minimum(boxes[:, :2] + boxes[:, 2:], window[:2] + window[2:])
    clipped = np.concatenate([low, high - low], axis=1)[(high > low).all(axis=1)]
    return np.asarray(clipped, dtype=np.float32)


def share_inside(boxes: Boxes, window: Boxes) -> NDArray[np.float64]:
    """The share of each box `(M, 4)` that lies inside a window `(1, 4)`: `(M,)`, 0–1."""
    areas = np.maximum(sizes_of(boxes) ** 2, 1e-9)
    return np.asarray(pairwise_intersection(boxes, window)[:, 0] / areas)


def _blend(
    background: NDArray[np.uint8], pixels: NDArray[np.uint8], matrix: Matrix, soft: bool
) -> NDArray[np.uint8]:
    """The background with an image warped onto it by `matrix`."""
    pixels, matrix = _reduce(pixels, matrix)
    blended = background.copy()
    (left, top), (right, bottom) = _bounds(matrix, pixels.shape)
    if right <= left or bottom <= top:
        return blended
    region = blended[top:bottom, left:right]
    matrix = matrix - np.array([[0, 0, left], [0, 0, top]])
    size = region.shape[::-1]
    if not soft:
        cv2.warpAffine(pixels, matrix, size, dst=region, borderMode=cv2.BORDER_TRANSPARENT)
        return blended
    mask = cv2.warpAffine(_oval_mask(*pixels.shape), matrix, size)
    foreground = cv2.warpAffine(pixels, matrix, size).astype(np.float32)
    region[:] = (region + (foreground - region) * mask).astype(np.uint8)
    return blended


def _reduce(pixels: NDArray[np.uint8], matrix: Matrix) -> tuple[NDArray[np.uint8], Matrix]:
    """An image reduced by area averaging where `matrix` would reduce it much, and its matrix."""
    scale = scale_of(matrix)
    if scale >= MIN_WARP_SCALE:
        return pixels, matrix
    sides = np.array(pixels.shape[::-1])
    reduced = np.maximum(1, np.rint(sides * scale)).astype(int)
    ratio = sides / reduced
    pixels = np.asarray(
        cv2.resize(pixels, reduced.tolist(), interpolation=cv2.INTER_AREA), np.uint8
    )
    return pixels, compose(matrix, np.column_stack([np.diag(ratio), (ratio - 1) / 2]))


def _bounds(matrix: Matrix, shape: tuple[int, ...]) -> tuple[tuple[int, int], tuple[int, int]]:
    """The bounding box of a warped image on the canvas: left and top, right and bottom, px."""
    height, width = shape
    corners = transform(matrix, [[0, 0], [width, 0], [0, height], [width, height]])
    low = np.clip(np.floor(corners.min(axis=0)) - 1, 0, CANVAS).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)) + 1, 0, CANVAS).astype(int)
    return (int(low[0]), int(low[1])), (int(high[0]), int(high[1]))


def _oval_mask(height: int, width: int) -> NDArray[np.float32]:
    """Opacity `(H, W)`, 0–1: 1 inside an ellipse, falling to 0 at the borders."""
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.asarray(np.clip((_OVAL_RADIUS - np.hypot(x, y)) * _OVAL_SLOPE, 0, 1), np.float32)
