"""HEIC and HEIF images, which Pillow reads only through the optional package pillow-heif."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image

ADVICE = "install it with: pip install pillow-heif"


def open_heif(data: bytes) -> Image.Image | None:
    """Open a HEIC file, upright; None if pillow-heif is not installed.

    Pillow's list of formats, which belongs to the whole process, is not changed.

    Raises:
        Exception: whatever the decoder raises on a damaged file.
    """
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        return None
    decode: Callable[[io.BytesIO], Image.Image] = HeifImageFile  # which is not annotated
    return decode(io.BytesIO(data))
