"""Images written to files and to bytes, marked as results of this program."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from edge.errors import SourceError, first_line
from edge.formats.marks import image_metadata
from edge.image import Rgb

_QUALITY = 92  # of JPEG files that are written, 0–100


def save_image(image: Rgb, path: str | Path) -> None:
    """Write an image, the format chosen by the suffix.

    Raises:
        SourceError: the suffix is of no known format, or the file cannot be written.
    """
    path = Path(path)
    check_suffix(path)
    try:
        Image.fromarray(image).save(path, quality=_QUALITY, **image_metadata())
    except (OSError, ValueError, KeyError) as error:
        raise SourceError(f"{path}: cannot write the image ({first_line(error)})") from error


def to_jpeg(image: Rgb) -> bytes:
    """An image, uint8 `(H, W, 3)`, as the bytes of a JPEG file."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=_QUALITY, **image_metadata())
    return file.getvalue()


def check_suffix(path: Path) -> None:
    """Raise SourceError unless an image can be written under this name."""
    if path.suffix.lower() not in Image.registered_extensions():
        raise SourceError(
            f"{path}: cannot write an image: unknown suffix {path.suffix!r}; use .jpg or .png"
        )
