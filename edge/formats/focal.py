"""The focal length that a photo's EXIF gives."""

from __future__ import annotations

import io
import math
import os
import warnings
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, Image

_FILM_DIAGONAL_MM = math.hypot(36, 24)
_FILM_MM = (5, 2000)  # of equivalents that are plausible; 0 means unknown
_ROUNDING_MM = 1 / math.sqrt(12)  # standard deviation of what is rounded to whole mm
# Cameras mean the diagonal or the width of the film, which differ by 4 % for pictures of 4:3, and
# zoom and focus change the length by some more.
_CONVENTION = 0.04
_WRITTEN_SIZE = (ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight)
_CROPPED = 0.01  # of the aspect ratio, by which a photo differs from that its camera wrote


@dataclass(frozen=True, slots=True)
class Focal:
    """A focal length and its standard deviation, px of the image."""

    px: float
    deviation_px: float


def read_focal(source: Any) -> Focal | None:
    """The focal length of a photo, from its equivalent for 35 mm film.

    Args:
        source: a path, the bytes of a file, or a Pillow image; anything else has none.

    Returns:
        None without that tag, where it cannot be read, or where the photo has another aspect ratio
        than its camera wrote, as it was cropped then.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the loader has given Pillow's warnings
            if isinstance(source, Image.Image):
                return _focal_of(source)
            if isinstance(source, bytes):
                source = io.BytesIO(source)
            elif not isinstance(source, str | os.PathLike):
                return None
            with Image.open(source) as image:
                return _focal_of(image)
    except Exception:
        return None  # unreadable EXIF says nothing of the camera


def _focal_of(image: Image.Image) -> Focal | None:
    tags = image.getexif().get_ifd(ExifTags.IFD.Exif)
    film_mm = float(tags.get(ExifTags.Base.FocalLengthIn35mmFilm, 0))
    if not _FILM_MM[0] <= film_mm <= _FILM_MM[1]:
        return None
    width, height = (float(tags.get(tag, 0)) for tag in _WRITTEN_SIZE)
    is_known = min(width, height) > 0
    if is_known and abs(_aspect(width, height) / _aspect(*image.size) - 1) > _CROPPED:
        return None
    px = film_mm / _FILM_DIAGONAL_MM * math.hypot(*image.size)
    return Focal(px, px * math.hypot(_ROUNDING_MM / film_mm, _CONVENTION))


def _aspect(width: float, height: float) -> float:
    return max(width, height) / min(width, height)
