"""Cutting a face out of a grey picture, for training and on the device alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.geometry import Matrix, compose, invert, scale_of, transform
from edge.image import Grey, Luma

_TURN_EPSILON = 1e-9
_MAX_WASTE = 8  # pixels that are read for a crop, over pixels of the picture


def cut(grey: Grey | Luma, matrix: Matrix, size: int) -> NDArray[np.uint8]:
    """Cut a square out of a grey picture, smoothing when it shrinks.

    The part of the picture that the crop covers is first resized to the crop's own scale with a
    triangle filter as wide as the shrinking asks for, so nothing aliases; then it is turned, if
    `matrix` turns, with bilinear sampling. Outside the picture its border is repeated.

    Args:
        grey: uint8 `(H, W)`, or what gives it part by part.
        matrix: float64 `(2, 3)` from the picture to the crop, see `edge.geometry.crop_matrix`.
        size: side of the crop, px.

    Returns:
        uint8 `(size, size)`.
    """
    if _is_upright(matrix):
        return _resize(grey, matrix, (size, size))
    # An upright frame of the crop's scale that holds all four corners of the turned crop.
    corners = np.array([[-1, -1], [size, -1], [-1, size], [size, size]], dtype=np.float64)
    source = transform(invert(matrix), corners)
    scale = scale_of(matrix)
    low, high = source.min(axis=0) * scale, source.max(axis=0) * scale
    upright = np.array([[scale, 0, -low[0]], [0, scale, -low[1]]], dtype=np.float64)
    width, height = (int(side) for side in np.ceil(high - low) + 1)
    frame = Image.fromarray(_resize(grey, upright, (height, width)))
    back = compose(upright, invert(matrix))  # crop to upright frame
    turned = frame.transform(
        (size, size), Image.Transform.AFFINE, _pillow(back), Image.Resampling.BILINEAR
    )
    return np.asarray(turned)


def _is_upright(matrix: Matrix) -> bool:
    off = abs(matrix[0, 1]) + abs(matrix[1, 0])
    return bool(off < _TURN_EPSILON and matrix[0, 0] > 0 and matrix[1, 1] > 0)


def _resize(grey: Grey | Luma, matrix: Matrix, shape: tuple[int, int]) -> NDArray[np.uint8]:
    height, width = shape
    scale = matrix[[0, 1], [0, 1]]
    # Edges of the source window in Pillow's frame, where pixel centres lie at .5.
    start = (-0.5 - matrix[:, 2]) / scale + 0.5
    stop = (np.array([width, height]) - 0.5 - matrix[:, 2]) / scale + 0.5
    filter_reach = np.maximum(1.0, 1.0 / scale) + 1
    low = np.floor(start - filter_reach).astype(int)
    high = np.ceil(stop + filter_reach).astype(int)
    factor = int(1 / scale.max()) // 2
    if factor > 1 and np.prod(high - low) > _MAX_WASTE * grey.size:
        # A square around a very long picture is mostly border: shrink before repeating that.
        small = np.asarray(Image.fromarray(grey[:]).reduce(factor))
        return _resize(small, compose(matrix, _enlarging(factor)), shape)
    window = _window(grey, low, high)
    box = (*(start - low), *(stop - low))
    resized = Image.fromarray(window).resize((width, height), Image.Resampling.BILINEAR, box=box)
    return np.asarray(resized)


def _enlarging(factor: int) -> Matrix:
    offset = (factor - 1) / 2
    return np.array([[factor, 0, offset], [0, factor, offset]], dtype=np.float64)


def _window(grey: Grey | Luma, low: NDArray[np.int_], high: NDArray[np.int_]) -> NDArray[np.uint8]:
    """The pixels from `low` to before `high` (x, y), the border repeated outside the picture."""
    rows = np.clip(np.arange(low[1], high[1]), 0, grey.shape[0] - 1)
    columns = np.clip(np.arange(low[0], high[0]), 0, grey.shape[1] - 1)
    if rows[-1] - rows[0] == len(rows) - 1 and columns[-1] - columns[0] == len(columns) - 1:
        inside = grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return np.ascontiguousarray(inside)
    return np.asarray(grey[np.ix_(rows, columns)])


def _pillow(matrix: Matrix) -> tuple[float, ...]:
    """Pillow's six coefficients, whose pixel centres lie at .5, for the same mapping."""
    offset = matrix[:, 2] + 0.5 - matrix[:, :2] @ np.array([0.5, 0.5])
    return (*matrix[0, :2], float(offset[0]), *matrix[1, :2], float(offset[1]))
