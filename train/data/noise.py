"""Crops of noise and patterns, such as of a camera in the dark, a broken file or a test card.

Photos without faces hold hardly any: without them white noise had a face score of up to 0.45.

Legend: N crops, S their side in px.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_MAX_GRAIN = 24  # px, side of the largest grains
_MIN_PERIOD, _MAX_PERIOD = 2.0, 60.0  # px, of stripes


def make_noise(count: int, size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Crops of grey noise with grains of any size, of stripes, and of both, in any contrast.

    Returns:
        uint8 `(count, size, size)`.
    """
    return np.array([_draw(size, rng) for _ in range(count)], np.uint8).reshape(-1, size, size)


def _draw(size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    weights = rng.dirichlet((0.5, 0.5, 0.5))
    layers = (_grains(size, 1, rng), _grains(size, int(rng.integers(1, _MAX_GRAIN + 1)), rng),
              _stripes(size, rng))  # fmt: skip
    pattern = sum(weight * layer for weight, layer in zip(weights, layers, strict=True))
    contrast, mean = rng.uniform(0, 255), rng.uniform(0, 255)
    return np.asarray(np.clip(mean + contrast * pattern, 0, 255), np.uint8)


def _grains(size: int, grain: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Uniform or normal noise of mean 0, in grains of `grain` px, smooth or square."""
    side = -(-size // grain)
    values = (
        rng.uniform(-1, 1, (side, side)) if rng.random() < 0.5 else rng.normal(size=(side,) * 2)
    )
    kind = Image.Resampling.BICUBIC if rng.random() < 0.5 else Image.Resampling.NEAREST
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize((size, size), kind), float)


def _stripes(size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Waves between −1 and 1 in any direction."""
    angle, phase = rng.uniform(0, 2 * np.pi, 2)
    period = np.exp(rng.uniform(np.log(_MIN_PERIOD), np.log(_MAX_PERIOD)))
    y, x = np.mgrid[:size, :size]
    wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period + phase)
    return np.asarray(np.sign(wave) if rng.random() < 0.3 else wave)
