"""Grey of more than 8 bits, or in floating point, as 8 bits.

Cameras for infrared, depth and machine vision write 10, 12 or 14 bits into files of 16, and no file
format says reliably which. The range is therefore the smallest of the usual ones that holds the
brightest pixel.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_BITS = (8, 10, 12, 14, 16, 24, 32)
# Floating point up to here is 0–1 with values beyond white; on a scale of 255 it would be black.
_MAX_UNIT = 2.0
_STRIP = 1 << 18  # pixels that are converted at once
_OVERSHOOT = 1.1  # of floating point beyond white, as resampling makes it


def to_8_bits(image: Image.Image) -> Image.Image:
    """Scale deep grey to 8 bits, black at 0.

    Args:
        image: of a mode with 16 or 32 bits or floating point. Negative values and NaN become
            black, values above the range white.

    Returns:
        An image of mode L.
    """
    white = _white(image)
    grey = np.empty((image.height, image.width), np.uint8)
    for top, values in _strips(image):
        scaled = np.nan_to_num(values * (255 / white), posinf=255)
        grey[top : top + len(values)] = np.clip(np.rint(scaled), 0, 255)
    return Image.fromarray(grey)


def _white(image: Image.Image) -> float:
    """The value of white."""
    brightest = max(
        float(np.max(values, initial=0, where=np.isfinite(values))) for _, values in _strips(image)
    )
    is_float = image.mode.startswith("F")
    if is_float and brightest <= _MAX_UNIT:
        return 1.0
    slack = _OVERSHOOT if is_float else 1.0
    return next((2.0**bits - 1 for bits in _BITS if brightest < slack * 2.0**bits), brightest)


def _strips(image: Image.Image) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Rows of an image with the number of the first; the whole would take 8 bytes a pixel."""
    rows = max(1, _STRIP // image.width)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        yield top, np.asarray(strip).astype(np.float64)
