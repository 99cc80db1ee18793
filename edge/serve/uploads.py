"""What may be sent: pictures, one or several, and faces that are cut out already."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from starlette.requests import Request

from edge.errors import ImageError
from edge.image import Grey, Rgb, load_grey, load_image
from edge.serve.limits import Limits, Refusal
from edge.serve.multipart import Upload, read_form

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
# What a file of these formats begins with.
_SIGNATURES = (
    b"BM", b"GIF87a", b"GIF89a", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*",
)  # fmt: skip
_ARRAY = b"\x93NUMPY"


async def read_uploads(request: Request, limits: Limits) -> list[Upload]:
    """The files of a request: its body, or the parts of a form.

    Raises:
        Refusal: 400 for a broken form, 413 for too many parts, 415 for another content type,
            422 where there is no file.
    """
    kind = _kind(request)
    if is_form(request):
        return read_form(await request.body(), request.headers["content-type"], limits.pictures)
    if kind.startswith("image/") or kind in ("", "application/octet-stream"):
        return [Upload("picture", await request.body())]
    raise Refusal(
        415,
        f"cannot use the content type {kind!r}; send a picture as image/jpeg or the like, or "
        "several as multipart/form-data",
    )


def is_form(request: Request) -> bool:
    """Whether a request says that its body is a form, which may hold several pictures."""
    return _kind(request) == "multipart/form-data"


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def is_picture(data: bytes) -> bool:
    """Whether bytes begin as a file of one of `FORMATS` does."""
    return data.startswith(_SIGNATURES) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")


def check_picture(upload: Upload, limits: Limits) -> tuple[int, int]:
    """Width and height, px, of a picture as it is stored; it is not decoded.

    Raises:
        Refusal: 413 where it is too large, 415 where it is none of `FORMATS`, 422 where its head
            cannot be read.
    """
    name, data = upload.name, upload.data
    if not data:
        raise Refusal(422, f"{name}: empty (0 bytes); expected a picture")
    if not is_picture(data):
        raise Refusal(415, f"{name}: not a picture; expected one of {', '.join(FORMATS)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                width, height = image.size
    except Image.DecompressionBombError as error:
        raise Refusal(413, _too_many(name, "far too many", limits)) from error
    except (OSError, SyntaxError, ValueError, LookupError, struct.error) as error:
        raise Refusal(422, f"{name}: cannot be decoded") from error
    if width * height > limits.pixels or max(width, height) > limits.side:
        raise Refusal(413, _too_many(name, f"{width}×{height}", limits))
    return width, height


def decode(upload: Upload) -> Rgb:
    """The pixels of a picture, uint8 `(H, W, 3)`.

    Raises:
        Refusal: 422 where they cannot be decoded.
    """
    return _decode(upload, load_image)


def decode_grey(upload: Upload) -> Grey:
    """Their grey alone, uint8 `(H, W)`, in less time.

    Raises:
        Refusal: as `decode`.
    """
    return _decode(upload, load_grey)


def _decode(upload: Upload, load: Callable[[bytes], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    try:
        return load(upload.data)
    except ImageError as error:
        reason = str(error).partition(": ")[2]
        raise Refusal(422, f"{upload.name}: {reason}") from error


def _too_many(name: str, found: str, limits: Limits) -> str:
    return (
        f"{name}: {found} px; expected at most {limits.pixels:,} pixels and sides of at most "
        f"{limits.side:,} px; make it smaller first"
    )


def read_crops(uploads: list[Upload], size: int, limits: Limits) -> NDArray[np.uint8]:
    """Faces that are cut out already: `.npy` files of uint8 `(N, S, S)`, and pictures of S×S px.

    Returns:
        uint8 `(N, S, S)`, grey.

    Raises:
        Refusal: 413 for too many, 415 for another kind of file, 422 for another shape or a
            picture that cannot be decoded.
    """
    crops = np.concatenate([_crops_of(upload, size, limits) for upload in uploads])
    if len(crops) > limits.crops:
        raise Refusal(413, f"{len(crops):,} crops; expected at most {limits.crops:,}")
    return crops


def _crops_of(upload: Upload, size: int, limits: Limits) -> NDArray[np.uint8]:
    if upload.data.startswith(_ARRAY):
        return _array_of(upload, size)
    width, height = check_picture(upload, limits)
    if (width, height) != (size, size):
        raise Refusal(422, f"{upload.name}: {width}×{height} px; expected {size}×{size}")
    return decode_grey(upload)[None]


def _array_of(upload: Upload, size: int) -> NDArray[np.uint8]:
    """A `.npy` file's array; numpy's own reader would make room for what the head promises."""
    file = io.BytesIO(upload.data)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else (
            np.lib.format.read_array_header_2_0
        )  # fmt: skip
        shape, by_columns, dtype = read(file)
    except (ValueError, SyntaxError, TypeError, EOFError) as error:
        raise Refusal(422, f"{upload.name}: cannot be read as an array") from error
    data = file.read()
    if dtype != np.uint8 or by_columns or len(shape) != 3 or shape[1:] != (size, size):
        raise Refusal(
            422,
            f"{upload.name}: expected uint8 crops of shape (N, {size}, {size}), found {dtype} of "
            f"shape {shape}",
        )
    if len(data) != shape[0] * size * size:
        raise Refusal(422, f"{upload.name}: the array is cut off or has more than its shape says")
    return np.frombuffer(data, np.uint8).reshape(shape)
