"""Training targets of the detector: which cells are assigned to which face.

The detector divides the image into square cells at three strides. Cells near a face's centre are
assigned to it, at the one or two strides that match its size. Other cells inside the face, and
those in ignored boxes, are excluded from the loss.

Legend: C cells of all strides, rows first, finest stride first; M boxes.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from train.detector.boxes import sizes_of

STRIDES = (8, 16, 32)  # px
# Sizes of faces, px, that are assigned to each stride. They overlap, so that a face between two
# strides can be detected at either.
_SIZES = ((0.0, 44.0), (32.0, 112.0), (80.0, np.inf))
_SIZE_TOLERANCE = 1.4  # factor outside these sizes up to which a detection is not penalised
_ASSIGN_RADIUS = 0.9  # strides from a face's centre
_IGNORE_RADIUS = 0.3  # of a face's width and height from its centre
FACE, BACKGROUND, IGNORED = 1.0, 0.0, -1.0


@cache
def cell_centres(height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The cells of a `height`×`width` px image: centres `(C, 2)` and strides `(C,)`, px."""
    centres, strides = [], []
    for stride in STRIDES:
        y, x = np.mgrid[: height // stride, : width // stride].reshape(2, -1)
        # The centre of a stride's cell, with pixel centres at integers.
        centres.append((np.stack([x, y], axis=1) + 0.5) * stride - 0.5)
        strides.append(np.full(len(x), stride))
    return np.concatenate(centres).astype(np.float32), np.concatenate(strides).astype(np.float32)


def make_targets(
    boxes: NDArray[np.float32], ignored: NDArray[np.float32], side: int
) -> NDArray[np.float32]:
    """The targets of a square canvas.

    Args:
        boxes: `(M, 4)`, the faces: x, y, width, height, px.
        ignored: `(I, 4)`, regions excluded from the loss.
        side: of the canvas, px.

    Returns:
        float32 `(C, 5)`: 1 for a face, 0 for background, −1 if ignored; then the box's centre x
        and y, width and height, px.
    """
    centres, strides = cell_centres(side, side)
    targets = np.zeros((len(centres), 5), np.float32)
    for x, y, width, height in ignored:
        inside = _within(centres, x, y, x + width, y + height)
        targets[inside, 0] = IGNORED
    low, high = (np.repeat(limits, _cells_of(strides)) for limits in zip(*_SIZES, strict=True))
    face_centres = boxes[:, :2] + (boxes[:, 2:] - 1) / 2
    sizes = sizes_of(boxes)
    for i in np.argsort(-sizes):  # of overlapping faces the smaller is usually in front
        x, y = face_centres[i]
        width, height = boxes[i, 2:]
        size = sizes[i]
        fits = (size >= low) & (size < high)
        tolerated = (size >= low / _SIZE_TOLERANCE) & (size < high * _SIZE_TOLERANCE)
        dx = np.abs(centres[:, 0] - x)
        dy = np.abs(centres[:, 1] - y)
        central = (dx < _IGNORE_RADIUS * width) & (dy < _IGNORE_RADIUS * height)
        near = np.maximum(dx, dy) <= _ASSIGN_RADIUS * strides
        targets[tolerated & (central | near), 0] = IGNORED
        targets[fits & near] = (FACE, x, y, width, height)
    return targets


def _cells_of(strides: NDArray[np.float32]) -> list[int]:
    return [int((strides == stride).sum()) for stride in STRIDES]


def _within(
    centres: NDArray[np.float32], left: float, top: float, right: float, bottom: float
) -> NDArray[np.bool_]:
    return np.asarray(
        (centres[:, 0] >= left) & (centres[:, 0] <= right)
        & (centres[:, 1] >= top) & (centres[:, 1] <= bottom)
    )  # fmt: skip
