"""Images as a person sees them: the one loader and the one grey conversion."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from edge.errors import ImageError, SourceError, first_line

ImageSource = str | os.PathLike[str] | bytes | IO[bytes] | Image.Image | NDArray[np.generic]
Order = Literal["rgb", "bgr"]  # of the colours of an array
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


def load_image(source: ImageSource, order: Order = "rgb") -> Rgb:
    """Load an image as a person sees it.

    EXIF orientation is applied, colours are converted to sRGB by the file's ICC profile,
    transparent parts become white, deeper grey is scaled to 8 bits (`edge.formats.deep_grey`), and
    of an animation the first frame is taken. HEIC files need the package pillow-heif. Pillow's
    warnings of damaged metadata reach the caller as any warning does.

    Args:
        source: a path, an open binary file or its bytes, a Pillow image, or an array or tensor as
            `edge.formats.arrays.as_pixels` takes it, such as uint8 `(H, W, 3)` or `(H, W)` grey.
        order: of the colours of an array; OpenCV's is "bgr".

    Returns:
        uint8 `(H, W, 3)`, RGB; a copy that may be written to.

    Raises:
        ImageError: it cannot be decoded, is empty or larger than `MAX_PIXELS`, or an array has
            another shape or dtype.
        SourceError: the file cannot be opened.
    """
    if is_array(source):
        from edge.formats.arrays import as_rgb

        return as_rgb(source, order)
    return _load(source, _pixels)


def load_grey(source: ImageSource, order: Order = "rgb") -> Grey:
    """The grey of an image: `to_grey(load_image(source))`, in a third of the time for a file.

    Args:
        source: as for `load_image`.
        order: likewise.

    Returns:
        uint8 `(H, W)`; of such an array, the array itself.

    Raises:
        ImageError, SourceError: as `load_image`.
    """
    if is_array(source):
        from edge.formats.arrays import as_pixels

        pixels = as_pixels(source, order)
        return to_grey(pixels) if pixels.ndim == 3 else pixels
    return _load(source, lambda image: np.asarray(image.convert("L")))


def is_array(source: Any) -> bool:
    """Whether it is an array or a tensor."""
    is_one = hasattr(source, "__array__") or hasattr(source, "__dlpack__")
    return is_one and not isinstance(source, Image.Image)


def _load(source: Any, finish: _Finish) -> NDArray[np.uint8]:
    """What is kept of an image; whatever a decoder raises, up to RuntimeError, is an ImageError."""
    name = "image"
    if hasattr(source, "read"):
        from edge.formats.open_files import read_open

        source = read_open(source)
    if isinstance(source, str | os.PathLike):
        name, source = str(source), _read(Path(source))
    elif isinstance(source, bytes):
        name = f"image of {len(source)} bytes"
    elif not isinstance(source, Image.Image):
        raise ImageError(
            "cannot load an image: expected a path, bytes, a file, a Pillow image or an array, "
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
        image: uint8 `(H, W, 3)`, RGB, or a view of BGR with its last axis reversed.

    Returns:
        uint8 `(H, W)`, not to be written to.
    """
    rows = max(1, _GREY_STRIP // max(image.shape[1], 1))
    if len(image) <= rows:
        return np.asarray(_to_pillow(image).convert("L"))
    grey = np.empty(image.shape[:2], np.uint8)
    for top in range(0, len(image), rows):
        part = _to_pillow(image[top : top + rows])
        grey[top : top + rows] = np.asarray(part.convert("L"))
    grey.flags.writeable = False
    return grey


def _to_pillow(image: Rgb) -> Image.Image:
    if image.strides[2] >= 0:
        return Image.fromarray(image)
    bgr = np.ascontiguousarray(image[..., ::-1])  # most often as it is
    return Image.frombuffer("RGB", image.shape[1::-1], bgr, "raw", "BGR", 0, 1)


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
        from edge.formats.transparency import on_white

        return on_white(image, lambda colours: _to_srgb(colours, profile))
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
