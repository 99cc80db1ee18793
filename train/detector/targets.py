"""What each cell of the detector should say of a canvas.

The detector divides the picture into square cells at three strides. A cell near a face's centre
answers for it, at the stride or the two strides that fit its size; other cells inside the face, and
those where nobody knows, answer for nothing and are not asked.

Legend: C cells of all strides, rows first, finest stride first; M boxes.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from train.detector.boxes import sizes_of

STRIDES = (8, 16, 32)  # px
# Sizes of faces, px, that the cells of each stride answer for. They overlap, so that a face between
# two strides is found by either.
_SIZES = ((0.0, 44.0), (32.0, 112.0), (80.0, np.inf))
_NEARLY = 1.4  # by how much a face may be off these sizes and still be nobody's mistake
_REACH = 0.9  # strides from a face's centre within which cells answer for it
_MIDDLE = 0.3  # of a face's width and height from its centre, within which no cell is wrong
FACE, NOTHING, UNASKED = 1.0, 0.0, -1.0


@cache
def cell_centres(height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where the cells of a `height`×`width` px picture lie: centres `(C, 2)` and strides `(C,)`."""
    centres, strides = [], []
    for stride in STRIDES:
        y, x = np.mgrid[: height // stride, : width // stride].reshape(2, -1)
        # The centre of a stride's cell, with pixel centres at integers.
        centres.append((np.stack([x, y], axis=1) + 0.5) * stride - 0.5)
        strides.append(np.full(len(x), stride))
    return np.concatenate(centres).astype(np.float32), np.concatenate(strides).astype(np.float32)


def make_targets(
    boxes: NDArray[np.float32], unsure: NDArray[np.float32], side: int
) -> NDArray[np.float32]:
    """The targets of a square canvas.

    Args:
        boxes: `(M, 4)`, the faces: x, y, width, height, px.
        unsure: `(U, 4)`, where a face may be found or not.
        side: of the canvas, px.

    Returns:
        float32 `(C, 5)`: 1 for a face, 0 for none, −1 where it is not asked; then the box's centre
        x and y, width and height, px.
    """
    centres, strides = cell_centres(side, side)
    targets = np.zeros((len(centres), 5), np.float32)
    for x, y, width, height in unsure:
        inside = _within(centres, x, y, x + width, y + height)
        targets[inside, 0] = UNASKED
    low, high = (np.repeat(limits, _cells_of(strides)) for limits in zip(*_SIZES, strict=True))
    middles = boxes[:, :2] + (boxes[:, 2:] - 1) / 2
    sizes = sizes_of(boxes)
    order = np.argsort(-sizes)  # where faces overlap, the smaller, being in front, has its cells
    for i in order:
        (x, y), (width, height), size = middles[i], boxes[i, 2:], sizes[i]
        fits = (size >= low) & (size < high)
        nearly = (size >= low / _NEARLY) & (size < high * _NEARLY)
        across, down = np.abs(centres[:, 0] - x), np.abs(centres[:, 1] - y)
        middle = (across < _MIDDLE * width) & (down < _MIDDLE * height)
        near = np.maximum(across, down) <= _REACH * strides
        targets[nearly & (middle | near), 0] = UNASKED
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
