"""What Pillow does not read: HEIC images, through the optional package pillow-heif, or nothing."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image

from edge.errors import ImageError
from edge.formats.kinds import describe, is_heif


def open_other(data: bytes) -> Image.Image:
    """Open a file that Pillow does not know, if it is a HEIC image.

    Raises:
        ImageError: it is none, or pillow-heif is not installed; the message says what it is.
        Exception: whatever the decoder raises on a damaged file.
    """
    image = _open_heif(data) if is_heif(data) else None
    if image is None:
        found = describe(data)
        raise ImageError(found or f"not an image in any known format ({len(data)} bytes)")
    return image


def _open_heif(data: bytes) -> Image.Image | None:
    """A HEIC image, upright; None if pillow-heif is not installed.

    Pillow's list of formats, which belongs to the whole process, is not changed.
    """
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        return None
    decode: Callable[[io.BytesIO], Image.Image] = HeifImageFile  # which is not annotated
    return decode(io.BytesIO(data))
