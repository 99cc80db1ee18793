"""Uploaded images and face crops: validation and decoding."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from starlette.exceptions import HTTPException
from starlette.requests import Request

from edge.crop import Levels
from edge.errors import ImageError
from edge.facekeypoints import FaceKeypoints
from edge.formats.kinds import HEAD_SIZE, kind_of
from edge.image import Grey, Rgb, load_grey, load_image
from edge.serve.limits import Limits
from edge.serve.multipart import UNNAMED, Upload, parse_form

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
# First bytes of files in these formats, except WEBP.
_SIGNATURES = (
    b"BM", b"GIF87a", b"GIF89a", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*",
)  # fmt: skip
_NPY_SIGNATURE = b"\x93NUMPY"
_Image = TypeVar("_Image")


async def read_uploads(request: Request, limits: Limits) -> list[Upload]:
    """The uploaded files of a request: its body, or the files of a form.

    Raises:
        HTTPException: 400 for a malformed form, 413 for too many parts, 415 for an unsupported
            content type, 422 for a form without files.
    """
    media_type = _media_type(request)
    if is_multipart(request):
        return parse_form(await request.body(), request.headers["content-type"], limits.images)
    if media_type.startswith("image/") or media_type in ("", "application/octet-stream"):
        return [Upload(UNNAMED, await request.body())]
    raise HTTPException(
        415,
        f"unsupported content type {media_type!r}; send one image as image/jpeg or another image "
        "type, or several as multipart/form-data",
    )


def is_multipart(request: Request) -> bool:
    """Whether the body is a form, which may have several files."""
    return _media_type(request) == "multipart/form-data"


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def read_image_size(upload: Upload, limits: Limits) -> tuple[int, int]:
    """Width and height, px, from the header of an image file, without decoding the pixels.

    Raises:
        HTTPException: 413 if the image is too large, 415 if it is in none of `FORMATS`, 422 if the
            file is empty or its header cannot be read.
    """
    if not upload.data:
        raise HTTPException(422, f"{upload.name}: empty (0 bytes); expected an image")
    if not _has_image_signature(upload.data):
        is_other = kind_of(upload.data[:HEAD_SIZE]) == "image"
        what = "an image in another format" if is_other else "not an image"
        raise HTTPException(415, f"{upload.name}: {what}; expected one of {', '.join(FORMATS)}")
    try:
        width, height = _read_header(upload.data)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(upload.name, "far too many", limits) from error
    except Exception as error:  # whatever a decoder raises on a damaged header
        raise HTTPException(422, f"{upload.name}: cannot be decoded") from error
    if width * height > limits.pixels or max(width, height) > limits.side:
        raise _too_many_pixels(upload.name, f"{width}×{height}", limits)
    return width, height


def _has_image_signature(data: bytes) -> bool:
    return data.startswith(_SIGNATURES) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")


def _read_header(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        return image.size


def _too_many_pixels(name: str, size: str, limits: Limits) -> HTTPException:
    return HTTPException(
        413,
        f"{name}: {size} px; expected at most {limits.pixels:,} pixels and sides of at most "
        f"{limits.side:,} px; resize it first",
    )


def decode_rgb(upload: Upload) -> Rgb:
    """Decode an image, uint8 `(H, W, 3)`, with EXIF orientation applied.

    Raises:
        HTTPException: 422 if it cannot be decoded.
    """
    return _decode(upload, load_image)


def decode_grey(upload: Upload, detect: FaceKeypoints) -> Grey | Levels:
    """Decode only what finding faces needs of an image, which is faster.

    Raises:
        HTTPException: 422 if it cannot be decoded.
    """
    return _decode(upload, detect.load)


def _decode(upload: Upload, load: Callable[[bytes], _Image]) -> _Image:
    try:
        return load(upload.data)
    except ImageError as error:
        raise HTTPException(422, f"{upload.name}: {error.reason}") from error


def decode_crops(uploads: list[Upload], size: int, limits: Limits) -> NDArray[np.uint8]:
    """Decode face crops: `.npy` files of uint8 `(N, S, S)`, and image files of S×S px.

    Args:
        uploads: at least one file.
        size: side S of a crop, px.
        limits: the limits on crops and images.

    Returns:
        uint8 `(N, S, S)`, grey.

    Raises:
        HTTPException: 413 for too many crops, 415 for an unsupported format, 422 for a wrong shape
            or a file that cannot be decoded.
    """
    crops = np.concatenate([_decode_crop_file(upload, size, limits) for upload in uploads])
    if len(crops) > limits.crops:
        raise HTTPException(413, f"{len(crops):,} crops; expected at most {limits.crops:,}")
    return crops


def _decode_crop_file(upload: Upload, size: int, limits: Limits) -> NDArray[np.uint8]:
    if upload.data.startswith(_NPY_SIGNATURE):
        return _decode_npy(upload, size)
    width, height = read_image_size(upload, limits)
    if (width, height) != (size, size):
        raise HTTPException(422, f"{upload.name}: {width}×{height} px; expected {size}×{size}")
    return _decode(upload, load_grey)[None]


def _decode_npy(upload: Upload, size: int) -> NDArray[np.uint8]:
    """Decode a `.npy` file; `np.load` would allocate whatever size its header declares."""
    file = io.BytesIO(upload.data)
    try:
        shape, fortran_order, dtype = _read_npy_header(file)
    except (ValueError, SyntaxError, TypeError, EOFError) as error:
        raise HTTPException(422, f"{upload.name}: not a valid .npy file") from error
    if dtype != np.uint8 or len(shape) != 3 or shape[1:] != (size, size):
        raise HTTPException(
            422,
            f"{upload.name}: expected uint8 crops of shape (N, {size}, {size}), received {dtype} "
            f"of shape {shape}",
        )
    pixels = file.read()
    if len(pixels) != shape[0] * size * size:
        raise HTTPException(422, f"{upload.name}: the data size does not match shape {shape}")
    crops = np.frombuffer(pixels, np.uint8).reshape(shape, order="F" if fortran_order else "C")
    return np.ascontiguousarray(crops)


def _read_npy_header(file: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Shape, whether in Fortran order, and dtype."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(file)
    return np.lib.format.read_array_header_2_0(file)
