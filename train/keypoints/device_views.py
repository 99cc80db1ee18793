"""Rendering of random views on the training device, with `keras.ops`.

Legend: B crops of a batch, P side of a padded crop, S side of a crop.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import backend, ops, random
from numpy.typing import NDArray

from train.data.faces import SIDE
from train.data.labelled_faces import PADDED
from train.keypoints.random_views import Views

Tensor = Any  # of the Keras backend in use

_DOWNSCALING = (4, 3, 2)  # factors of the crops with low resolution
_DOWNSCALED_INTERVAL = 16  # one crop in 16 for each factor
_COMPRESSED_INTERVAL = 5  # one crop in 5
_SMOOTHING = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
_BLOCK = 8  # px, side of a JPEG block
# JPEG's luminance quantisation table (ITU-T T.81, table K.1).
_QUANTISATION = np.array(
    [[16, 11, 10, 16, 24, 40, 51, 61], [12, 12, 14, 19, 26, 58, 60, 55],
     [14, 13, 16, 24, 40, 57, 69, 56], [14, 17, 22, 29, 51, 87, 80, 62],
     [18, 22, 37, 56, 68, 109, 103, 77], [24, 35, 55, 64, 81, 104, 113, 92],
     [49, 64, 78, 87, 103, 121, 120, 101], [72, 92, 95, 98, 112, 100, 103, 99]], np.float32
)  # fmt: skip


def to_pool(images: NDArray[np.uint8]) -> Tensor:
    """Copy padded crops `(N, P, P)` to the training device, as uint8 `(N·P·P,)`."""
    return ops.reshape(ops.convert_to_tensor(images), (-1,))


def render(pool: Tensor, views: Views, seed: int) -> Tensor:
    """Render crops: sample, degrade, relight, occlude, add noise and compress.

    The first crops have low resolution and the last ones JPEG artefacts.

    Args:
        pool: from `to_pool`.
        views: parameters of each crop.
        seed: of the noise.

    Returns:
        uint8 `(B, S, S, 1)`.
    """
    crops = _sample(pool, views)
    crops = _downscale(crops)
    light = _columns(views.light)
    crops = _blur(crops, light[6])
    crops = _relight(crops, light)
    crops = _occlude(crops, views.occlusion)
    noise = random.normal(ops.shape(crops), seed=seed)
    crops = _compress(ops.clip(crops + light[7] * noise, 0.0, 255.0), views.quantisation)
    return ops.cast(ops.round(ops.clip(crops, 0.0, 255.0)), "uint8")[..., None]


def _columns(values: NDArray[np.float32]) -> list[Tensor]:
    """Each column of `(B, C)` as `(B, 1, 1)`."""
    tensor = ops.convert_to_tensor(values)
    return [tensor[:, i, None, None] for i in range(values.shape[1])]


def _pixel_grid() -> tuple[Tensor, Tensor]:
    """X `(1, 1, S)` and y `(1, S, 1)` of the pixels of a crop."""
    positions = ops.arange(SIDE, dtype="float32")
    return positions[None, None, :], positions[None, :, None]


def _sample(pool: Tensor, views: Views) -> Tensor:
    """Bilinear samples of the padded crops with replicated border, float32 `(B, S, S)`."""
    x, y = _pixel_grid()
    a, b, left, c, d, top = _columns(views.to_padded.reshape(-1, 6))
    first_column, first_row, last_column, last_row = _columns(views.window)
    u = _clip(a * x + b * y + left, first_column, last_column)
    v = _clip(c * x + d * y + top, first_row, last_row)
    column, row = ops.floor(u), ops.floor(v)
    right, below = u - column, v - row  # weights of the right and the lower pixel, 0–1
    crop_start = ops.convert_to_tensor(views.rows * PADDED * PADDED)[:, None, None]
    upper_left = crop_start + ops.cast(row * PADDED + column, "int64")

    def pixel(offset: int) -> Tensor:
        return ops.cast(_take(pool, upper_left + offset), "float32")

    upper = pixel(0) * (1 - right) + pixel(1) * right
    lower = pixel(PADDED) * (1 - right) + pixel(PADDED + 1) * right
    return upper * (1 - below) + lower * below


def _clip(positions: Tensor, first: Tensor, last: Tensor) -> Tensor:
    """Limit positions to the photo, and to pixels that have a right and a lower neighbour."""
    return ops.clip(ops.minimum(ops.maximum(positions, first), last), 0.0, PADDED - 1.001)


def _take(pool: Tensor, indices: Tensor) -> Tensor:
    if backend.backend() == "torch":  # there, `ops.take` copies the indices three times
        return pool[indices]
    return ops.take(pool, indices)


def _downscale(crops: Tensor) -> Tensor:
    """Give the first crops the resolution of faces a few dozen pixels wide."""
    count = int(crops.shape[0]) // _DOWNSCALED_INTERVAL
    if not count:
        return crops
    parts = []
    for i, factor in enumerate(_DOWNSCALING):
        batch = crops[i * count : (i + 1) * count]
        cells = ops.reshape(batch, (-1, SIDE // factor, factor, SIDE // factor, factor))
        small = ops.mean(cells, axis=(2, 4))[..., None]
        large = ops.image.resize(
            small, (SIDE, SIDE), interpolation="bilinear", data_format="channels_last"
        )
        parts.append(large[..., 0])
    return ops.concatenate([*parts, crops[len(_DOWNSCALING) * count :]], axis=0)


def _blur(crops: Tensor, share: Tensor) -> Tensor:
    """Blend each crop with a blurred copy; a negative share sharpens it (unsharp masking)."""
    blurred = crops
    for axis in (1, 2):
        padding = [(0, 0), (0, 0), (0, 0)]
        padding[axis] = (2, 2)
        padded = ops.pad(blurred, padding, mode="reflect")
        parts = []
        for i, weight in enumerate(_SMOOTHING):
            shifted = padded[:, i : i + SIDE] if axis == 1 else padded[:, :, i : i + SIDE]
            parts.append(weight * shifted)
        blurred = sum(parts[1:], parts[0])
    return crops + share * (blurred - crops)


def _relight(crops: Tensor, light: list[Tensor]) -> Tensor:
    """Apply gamma, a directional shade, contrast about the mean, and brightness."""
    exponent, contrast, brightness, shade, shade_x, shade_y = light[:6]
    x, y = _pixel_grid()
    centre = (SIDE - 1) / 2
    gradient = ops.exp(shade * (shade_x * (x - centre) + shade_y * (y - centre)) / centre)
    crops = 255.0 * ops.power(ops.clip(crops / 255.0, 1e-4, 1.0), exponent) * gradient
    mean = ops.mean(crops, axis=(1, 2), keepdims=True)
    return (crops - mean) * contrast + mean + brightness


def _occlude(crops: Tensor, occlusion: NDArray[np.float32]) -> Tensor:
    """Cover a rectangle of each crop with a grey value or with the preceding crop's pixels."""
    x, y = _pixel_grid()
    centre_x, centre_y, half_width, half_height, grey, is_image = _columns(occlusion)
    inside = ops.logical_and(
        ops.abs(x - centre_x) < half_width, ops.abs(y - centre_y) < half_height
    )
    filling = is_image * ops.roll(crops, 1, axis=0) + (1 - is_image) * grey
    return ops.where(inside, filling, crops)


def _compress(crops: Tensor, factor: NDArray[np.float32]) -> Tensor:
    """Quantise the last crops as JPEG does, with its table multiplied by `factor` `(B,)`."""
    count = int(crops.shape[0]) // _COMPRESSED_INTERVAL
    if not count:
        return crops
    side = SIDE // _BLOCK
    blocks = ops.reshape(crops[-count:] - 128.0, (-1, side, _BLOCK, side, _BLOCK))
    blocks = ops.transpose(blocks, (0, 1, 3, 2, 4))
    dct = ops.convert_to_tensor(_cosine_transform())
    inverse = ops.transpose(dct)
    steps = ops.convert_to_tensor(factor[-count:, None, None, None, None] * _QUANTISATION)
    levels = ops.round(ops.matmul(ops.matmul(dct, blocks), inverse) / steps) * steps
    blocks = ops.matmul(ops.matmul(inverse, levels), dct)
    blocks = ops.reshape(ops.transpose(blocks, (0, 1, 3, 2, 4)), (-1, SIDE, SIDE))
    return ops.concatenate([crops[:-count], blocks + 128.0], axis=0)


def _cosine_transform() -> NDArray[np.float32]:
    """The matrix `(8, 8)` of the orthonormal discrete cosine transform (DCT-II)."""
    k, n = np.mgrid[:_BLOCK, :_BLOCK]
    matrix = np.cos(np.pi * (2 * n + 1) * k / (2 * _BLOCK)) * np.sqrt(2 / _BLOCK)
    matrix[0] /= np.sqrt(2)
    return np.asarray(matrix, np.float32)
