"""Cropping a face out of a grey image, in training and at run time alike."""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.geometry.affine import Matrix, compose, invert, scale_of
from edge.image import Grey

_ROTATION_EPSILON = 1e-9
_MAX_PADDING = 8  # area of the source window over that of the image, above which it is shrunk first


class Windows(Protocol):
    """A grey image whose parts are made when they are asked for, as `edge.video.luma.Luma`."""

    shape: tuple[int, int]
    size: int

    def __getitem__(self, part: Any) -> Grey: ...  # noqa: D105
    def window(self, low: tuple[int, int], high: tuple[int, int]) -> Image.Image: ...  # noqa: D102


class Levels(Protocol):
    """A grey image that is there in several sizes, as `edge.formats.reduced_jpeg.ReducedGrey`."""

    shape: tuple[int, int]
    size: int

    def detect(self, detector: Any, detect_size: int) -> Any: ...  # noqa: D102
    def level(self, matrix: Matrix) -> tuple[Grey, Matrix]: ...  # noqa: D102


AnyGrey = Grey | Levels


def cut(grey: Grey | Windows | Levels, matrix: Matrix, size: int) -> NDArray[np.uint8]:
    """Crop a square out of a grey image, with antialiasing.

    The part of the image that the crop covers is first resized to the crop's own scale with a
    triangle filter whose support grows with the shrink factor; then, if `matrix` rotates, it is
    rotated with bilinear sampling. Outside the image its border is replicated.

    Args:
        grey: uint8 `(H, W)`; `Windows`, which are made only where they are needed; or `Levels`, of
            which the smallest is cut that the crop does not enlarge.
        matrix: float64 `(2, 3)` from the image to the crop (`edge.geometry.affine.crop_matrix`).
        size: side of the crop, px.

    Returns:
        uint8 `(size, size)`.
    """
    if hasattr(grey, "level"):
        grey, matrix = grey.level(matrix)
    if _is_upright(matrix):
        return np.asarray(resize_window(grey, matrix, (size, size)))
    # An upright frame of the crop's scale that holds all four corners of the rotated crop.
    inverse, scale = invert(matrix), scale_of(matrix)
    (left, right), (top, bottom) = (_extent(row, size, scale) for row in inverse.tolist())
    upright = np.array([[scale, 0.0, -left], [0.0, scale, -top]])
    width, height = math.ceil(right - left) + 1, math.ceil(bottom - top) + 1
    frame = resize_window(grey, upright, (height, width))
    back = compose(upright, inverse)  # crop to upright frame
    rotated = frame.transform(
        (size, size), Image.Transform.AFFINE, _pillow_coefficients(back), Image.Resampling.BILINEAR
    )
    return np.asarray(rotated)


def cut_face(grey: Grey | Windows | Levels, matrix: Matrix, size: int) -> NDArray[np.uint8]:
    """Crop a face for the keypoint network: as `cut`, a rotated one in half the time.

    What a rotated crop covers is reduced by a whole factor, the nearest to the crop's scale, with a
    box filter, and then sampled once, bilinearly, where `cut` resizes first. On the photos of the
    helen and LFPW data sets keypoints are as accurate.

    Args:
        grey: as for `cut`.
        matrix: likewise, a similarity.
        size: likewise.

    Returns:
        uint8 `(size, size)`.
    """
    if hasattr(grey, "level"):
        grey, matrix = grey.level(matrix)
    if _is_upright(matrix):
        return cut(grey, matrix, size)
    rows = invert(matrix).tolist()  # from the crop to the image
    factor = max(1, round(1 / scale_of(matrix)))
    centre = (factor - 1) / 2  # of a block, from its first pixel
    spans = [_extent(row, size, 1.0) for row in rows]
    low = [math.floor(start - centre) for start, _ in spans]
    # Whole blocks, up to the one after that of the last place.
    high = [
        first + factor * (math.floor((stop - first - centre) / factor) + 2)
        for first, (_, stop) in zip(low, spans, strict=True)
    ]
    if (high[0] - low[0]) * (high[1] - low[1]) > _MAX_PADDING * grey.size:
        return cut(grey, matrix, size)
    to_blocks = [
        (x_factor / factor, y_factor / factor, (offset - first - centre) / factor)
        for (x_factor, y_factor, offset), first in zip(rows, low, strict=True)
    ]
    blocks = _reduce_window(grey, (low[0], low[1]), (high[0], high[1]), factor)
    return _sample(blocks, to_blocks, size)


def _reduce_window(
    grey: Grey | Windows, low: tuple[int, int], high: tuple[int, int], factor: int
) -> NDArray[np.uint8]:
    """The means of the blocks of the pixels from `low` to before `high`, contiguous."""
    inside = min(low) >= 0 and high[1] <= grey.shape[0] and high[0] <= grey.shape[1]
    if not inside:
        window = _image(_window(grey, low, high))
    elif not isinstance(grey, np.ndarray):
        window = grey.window(low, high)
    elif factor > 1:
        return np.asarray(_image(grey).reduce(factor, (*low, *high)))
    else:
        return np.ascontiguousarray(grey[low[1] : high[1], low[0] : high[0]])
    return np.asarray(window.reduce(factor) if factor > 1 else window)


def _sample(
    pixels: NDArray[np.uint8], rows: list[tuple[float, float, float]], size: int
) -> NDArray[np.uint8]:
    """Sample pixels bilinearly, by the rows of the matrix from the result to them.

    None of the places may lie outside; the fraction of a value is dropped, as Pillow does.
    """
    width = pixels.shape[1]
    line = np.arange(size, dtype=np.float32)
    x, y = (
        np.add.outer(np.float32(b) * line, np.float32(a) * line + np.float32(offset))
        for a, b, offset in rows
    )
    left, top = np.floor(x), np.floor(y)
    x -= left  # what remains are the weights of the right and of the lower pixels
    y -= top
    top *= width  # exact: the places are far fewer than the integers that float32 holds
    top += left
    index = top.astype(np.intp)
    values = pixels.astype(np.float32).ravel()
    upper = _between(values, values[1:], index, x)
    lower = _between(values[width:], values[width + 1 :], index, x)
    lower -= upper
    lower *= y
    upper += lower
    return upper.astype(np.uint8)


def _between(
    values: NDArray[np.float32],
    others: NDArray[np.float32],
    index: NDArray[np.intp],
    weight: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Values and others at the same places, mixed by the weight of the others."""
    mixed, other = values.take(index), others.take(index)
    other -= mixed
    other *= weight
    mixed += other
    return mixed


def _is_upright(matrix: Matrix) -> bool:
    off = abs(matrix[0, 1]) + abs(matrix[1, 0])
    return bool(off < _ROTATION_EPSILON and matrix[0, 0] > 0 and matrix[1, 1] > 0)


def _extent(row: list[float], size: int, scale: float) -> tuple[float, float]:
    """The interval of one image axis that a crop and a margin of one pixel cover, times `scale`.

    `row` is the axis's row of the matrix from the crop to the image. Crop coordinates run from −1
    to `size`; a linear function has its extremes at the ends.
    """
    x_factor, y_factor, offset = row
    low = min(-x_factor, x_factor * size) + min(-y_factor, y_factor * size)
    high = max(-x_factor, x_factor * size) + max(-y_factor, y_factor * size)
    return (offset + low) * scale, (offset + high) * scale


def resize_window(grey: Grey | Windows, matrix: Matrix, shape: tuple[int, int]) -> Image.Image:
    """As `cut`, by a matrix that only scales and shifts, of height and width `shape`."""
    height, width = shape
    (x_scale, _, x_offset), (_, y_scale, y_offset) = matrix.tolist()
    # Edges of the source window in Pillow's frame, where pixel centres lie at .5.
    left, right = _window_edges(x_scale, x_offset, width)
    top, bottom = _window_edges(y_scale, y_offset, height)
    x_reach, y_reach = (max(1.0, 1 / scale) + 1 for scale in (x_scale, y_scale))
    low = math.floor(left - x_reach), math.floor(top - y_reach)
    high = math.ceil(right + x_reach), math.ceil(bottom + y_reach)
    box = (left, top, right, bottom)
    inside = min(low) >= 0 and high[1] <= grey.shape[0] and high[0] <= grey.shape[1]
    if inside and isinstance(grey, np.ndarray):  # Pillow reads only the window
        return _image(grey).resize((width, height), Image.Resampling.BILINEAR, box=box)
    box = (left - low[0], top - low[1], right - low[0], bottom - low[1])
    if inside and not isinstance(grey, np.ndarray):
        return grey.window(low, high).resize((width, height), Image.Resampling.BILINEAR, box=box)
    factor = int(1 / max(x_scale, y_scale)) // 2
    area = (high[0] - low[0]) * (high[1] - low[1])
    if factor > 1 and area > _MAX_PADDING * grey.size:
        # A square around a very long image is mostly border: shrink before replicating that.
        small = np.asarray(Image.fromarray(grey[:]).reduce(factor))
        return resize_window(small, compose(matrix, scaling(factor)), shape)
    window = _image(_window(grey, low, high))
    return window.resize((width, height), Image.Resampling.BILINEAR, box=box)


def _window_edges(scale: float, offset: float, length: int) -> tuple[float, float]:
    return (-0.5 - offset) / scale + 0.5, (length - 0.5 - offset) / scale + 0.5


def scaling(factor: int) -> Matrix:
    """The matrix from an image whose sides are shorter by a factor to the image itself."""
    offset = (factor - 1) / 2
    return np.array([[factor, 0, offset], [0, factor, offset]], dtype=np.float64)


def _image(grey: Grey) -> Image.Image:
    """The same pixels as a Pillow image; not copied if they are contiguous."""
    height, width = grey.shape
    return Image.frombuffer("L", (width, height), np.ascontiguousarray(grey), "raw", "L", 0, 1)


def _window(grey: Grey | Windows, low: tuple[int, int], high: tuple[int, int]) -> NDArray[np.uint8]:
    """The pixels from `low` to before `high` (x, y), the border replicated outside the image."""
    (left, x, columns), (top, y, rows) = (
        _clip(a, b, length) for a, b, length in zip(low, high, grey.shape[::-1], strict=True)
    )
    right, bottom = left + columns, top + rows
    window = np.empty((high[1] - low[1], high[0] - low[0]), np.uint8)
    # A slice and four strips take a fraction of the time of an index for every pixel.
    window[top:bottom, left:right] = grey[y : y + rows, x : x + columns]
    window[top:bottom, :left] = window[top:bottom, left : left + 1]
    window[top:bottom, right:] = window[top:bottom, right - 1 : right]
    window[:top] = window[top]
    window[bottom:] = window[bottom - 1]
    return window


def _clip(low: int, high: int, length: int) -> tuple[int, int, int]:
    """The part of a window from `low` to before `high` that lies in `length` pixels, at least one.

    Returns:
        Its first index in the window, its first index in the image, and its length.
    """
    first = min(max(low, 0), length - 1)
    count = max(min(high, length) - first, 1)
    return min(max(-low, 0), high - low - count), first, count


def _pillow_coefficients(matrix: Matrix) -> tuple[float, ...]:
    """Pillow's six coefficients, whose pixel centres lie at .5, for the same mapping."""
    (a, b, x), (c, d, y) = matrix.tolist()
    return a, b, x + 0.5 - (a + b) / 2, c, d, y + 0.5 - (c + d) / 2
