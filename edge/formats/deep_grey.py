"""Grey of more than 8 bits, or in floating point, as 8 bits.

Cameras for infrared, depth and machine vision write 10, 12 or 14 bits into files of 16, and no file
format says reliably which. The range is therefore the smallest of the usual ones that holds the
brightest pixel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_BITS = (8, 10, 12, 14, 16, 24, 32)
# Floating point up to here is 0–1 with values beyond white; on a scale of 255 it would be black.
_MAX_UNIT = 2.0
_OVERSHOOT = 1.1  # of floating point beyond white, as resampling makes it


def to_8_bits(values: NDArray[np.generic]) -> Image.Image:
    """Scale deep grey to 8 bits, black at 0.

    Args:
        values: integers or floating point `(H, W)`. Negative values and NaN become black, values
            above the range white.

    Returns:
        An image of mode L.
    """
    deep = values.astype(np.float64)
    scaled = np.nan_to_num(deep * (255 / _white(deep, values.dtype.kind == "f")), posinf=255)
    return Image.fromarray(np.clip(np.rint(scaled), 0, 255).astype(np.uint8))


def _white(deep: NDArray[np.float64], is_float: bool) -> float:
    """The value of white."""
    brightest = float(np.max(deep, initial=0, where=np.isfinite(deep)))
    if is_float and brightest <= _MAX_UNIT:
        return 1.0
    slack = _OVERSHOOT if is_float else 1.0
    return next((2.0**bits - 1 for bits in _BITS if brightest < slack * 2.0**bits), brightest)
