"""Images as a person sees them: the one loader and the one grey conversion."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from edge.errors import ImageError, SourceError, first_line

ImageSource = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]
Rgb = NDArray[np.uint8]  # (H, W, 3)
Grey = NDArray[np.uint8]  # (H, W)
_Finish = Callable[[Image.Image], NDArray[np.uint8]]  # what is kept of a decoded RGB image

# An image of this many pixels takes 0.5 GB as RGB: more than one file should take on a small
# computer. It is also Pillow's own limit.
MAX_PIXELS = 178_956_970

# Pixels that are copied, or converted to grey, at once. Larger pieces leave the processor's
# cache: a whole large image takes three times as long.
_STRIP = 1 << 16
_GREY_STRIP = 1 << 20
# Formats that are programs, which Pillow runs in another process.
_PROGRAMS = ("EPS",)


def load_image(source: ImageSource) -> Rgb:
    """Load an image as a person sees it.

    EXIF orientation is applied, colours are converted to sRGB by the file's ICC profile,
    transparent parts become white, deeper grey is scaled to 8 bits (`edge.formats.deep_grey`), and
    of an animation the first frame is taken. HEIC files need the package pillow-heif. Pillow's
    warnings of damaged metadata reach the caller as any warning does.

    Args:
        source: a path, the bytes of a file, a Pillow image, or a uint8 array: `(H, W, 3)` RGB or
            `(H, W)` grey.

    Returns:
        uint8 `(H, W, 3)`, RGB; a copy that may be written to.

    Raises:
        ImageError: it cannot be decoded, is empty or larger than `MAX_PIXELS`, or an array has
            another shape or dtype.
        SourceError: the file cannot be opened.
    """
    return _to_rgb_array(source) if isinstance(source, np.ndarray) else _load(source, _pixels)


def load_grey(source: ImageSource) -> Grey:
    """The grey of an image: `to_grey(load_image(source))`, in a third of the time for a file.

    Args:
        source: as for `load_image`.

    Returns:
        uint8 `(H, W)`; of an array of that shape, the array itself.

    Raises:
        ImageError, SourceError: as `load_image`.
    """
    if isinstance(source, np.ndarray):
        return to_grey(source) if _check_array(source).ndim == 3 else source
    return _load(source, lambda image: np.asarray(image.convert("L")))


def _load(source: Any, finish: _Finish) -> NDArray[np.uint8]:
    """What is kept of an image; whatever a decoder raises, up to RuntimeError, is an ImageError."""
    name = "image"
    if isinstance(source, str | os.PathLike):
        name, source = str(source), _read(Path(source))
    elif isinstance(source, bytes):
        name = f"image of {len(source)} bytes"
    elif not isinstance(source, Image.Image):
        raise ImageError(
            "cannot load an image: expected a path, bytes, a Pillow image or a uint8 array, "
            f"received {type(source).__name__}"
        )
    try:
        if isinstance(source, Image.Image):
            return _decode(source, finish)
        with _identify(source) as image:
            return _decode(image, finish)
    except ImageError as error:
        raise ImageError(f"{name}: {error.reason}", error.reason) from error
    except Exception as error:
        reason = f"cannot be decoded ({first_line(error)})"
        raise ImageError(f"{name}: {reason}", reason) from error


def to_grey(image: Rgb) -> Grey:
    """Luma of ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B.

    Args:
        image: uint8 `(H, W, 3)`.

    Returns:
        uint8 `(H, W)`, not to be written to.
    """
    rows = max(1, _GREY_STRIP // max(image.shape[1], 1))
    if len(image) <= rows:
        return np.asarray(Image.fromarray(image).convert("L"))
    grey = np.empty(image.shape[:2], np.uint8)
    for top in range(0, len(image), rows):
        part = Image.fromarray(image[top : top + rows])
        grey[top : top + rows] = np.asarray(part.convert("L"))
    grey.flags.writeable = False
    return grey


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file") from error
    except IsADirectoryError as error:
        raise SourceError(f"{path}: is a directory; expected an image file") from error
    except (OSError, ValueError) as error:
        raise SourceError(f"{path}: cannot be opened ({first_line(error)})") from error


def _identify(data: bytes) -> Image.Image:
    if not data:
        raise ImageError("the file is empty (0 bytes); expected an image")
    try:
        image = Image.open(io.BytesIO(data))
    except Image.DecompressionBombError as error:
        raise ImageError(
            f"too large; expected at most {MAX_PIXELS:,} pixels; make it smaller first"
        ) from error
    except UnidentifiedImageError:
        from edge.formats.heif import open_other  # few files need it

        return open_other(data)
    if image.format in _PROGRAMS:
        raise ImageError(f"{image.format} is a program that draws an image; not supported")
    return image


def _decode(image: Image.Image, finish: _Finish) -> NDArray[np.uint8]:
    width, height = image.size  # of a damaged file it may be anything
    if not (min(width, height) > 0 and width * height <= MAX_PIXELS):
        raise ImageError(
            f"{width}×{height} px; expected at least 1 and at most {MAX_PIXELS:,} pixels; "
            "make it smaller first"
        )
    image.load()
    return finish(_to_rgb(upright(image)))


def upright(image: Image.Image) -> Image.Image:
    """The image as its EXIF orientation says."""
    try:
        if image.getexif().get(ExifTags.Base.Orientation, 1) not in range(2, 9):
            return image  # as it is: `exif_transpose` would copy it
        return ImageOps.exif_transpose(image)
    except Warning:
        raise  # the caller turned warnings into errors
    except Exception:
        return image  # unreadable EXIF says nothing about orientation


def _to_rgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if image.mode.startswith(("I", "F")):
        from edge.formats.deep_grey import to_8_bits  # few files need it

        image = to_8_bits(image)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        clear = image.convert("RGBA")
        colours = _to_srgb(clear.convert("L" if image.mode in ("LA", "La") else "RGB"), profile)
        colours.putalpha(clear.getchannel("A"))
        white = Image.new("RGBA", clear.size, "white")
        return Image.alpha_composite(white, colours).convert("RGB")
    if image.mode not in ("RGB", "L", "CMYK"):
        image = image.convert("RGB")
    return _to_srgb(image, profile)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        from edge.formats.colour import to_srgb  # imports LittleCMS

        image = to_srgb(image, profile)
    return image if image.mode == "RGB" else image.convert("RGB")


def _pixels(image: Image.Image) -> Rgb:
    """A copy of the pixels, made in strips: Pillow would hold two more of the whole for it."""
    width, height = image.size
    pixels = np.empty((height, width, 3), np.uint8)
    rows = max(1, _STRIP // width)
    for top in range(0, height, rows):
        below = min(top + rows, height)
        pixels[top:below] = np.asarray(image.crop((0, top, width, below)))
    return pixels


def _to_rgb_array(array: NDArray[np.generic]) -> Rgb:
    pixels = np.array(_check_array(array), order="C")
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels


def check_rgb(image: NDArray[np.generic]) -> Rgb:
    """An image as it is; raises ImageError unless it is uint8 `(H, W, 3)` and not empty."""
    return _check_array(image, "(H, W, 3)", np.ndim(image) == 3)


def check_grey(image: NDArray[np.generic]) -> Grey:
    """An image as it is; raises ImageError unless it is uint8 `(H, W)` and not empty."""
    return _check_array(image, "(H, W)", np.ndim(image) == 2)


def _check_array(
    array: NDArray[np.generic], expected: str = "(H, W, 3) or (H, W)", fits: bool = True
) -> NDArray[np.uint8]:
    if not isinstance(array, np.ndarray):
        raise ImageError(
            f"cannot use {type(array).__name__} as an image here: expected a uint8 array of shape "
            f"{expected}"
        )
    is_image = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)
    if array.dtype != np.uint8 or not (is_image and fits):
        raise ImageError(
            f"cannot use an array as an image: expected uint8 of shape {expected}, "
            f"received {array.dtype} of shape {array.shape}"
        )
    if array.size == 0:
        raise ImageError(f"cannot use an array as an image: it is empty, shape {array.shape}")
    return np.asarray(array, dtype=np.uint8)
