"""Images in memory: arrays and tensors of the common forms, checked, as uint8 in RGB or grey.

What has that form already is not copied, whether it is read-only, a part of a larger array or, as
OpenCV's, in the order blue, green, red.
"""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.errors import ImageError, first_line
from edge.formats.transparency import on_white
from edge.image import Grey, Order, Rgb

_CHANNELS = (1, 3, 4)
_FORMS = "(H, W, 3), (H, W, 4), (H, W, 1) or (H, W), or floats from 0 to 1"
_UINT8 = np.dtype(np.uint8)


def as_pixels(source: Any, order: Order = "rgb") -> NDArray[np.uint8]:
    """An array or tensor as an image; a view of it where it is uint8 and opaque.

    Args:
        source: a numpy array, or what has `__dlpack__` or `__array__` and lies in the memory of the
            processor, as tensors of PyTorch: `(H, W, 3)`, `(H, W, 4)`, the last channel of which
            is opacity over white, `(H, W, 1)` or `(H, W)`; of tensors also with the channels first.
            uint8, or floats from 0 to 1.
        order: of its colours.

    Returns:
        uint8: `(H, W, 3)`, RGB, or `(H, W)`, grey; may be read-only.

    Raises:
        ImageError: it has another shape, dtype or range, is empty, or is not in that memory.
        ValueError: there is no such order.
    """
    if order not in get_args(Order):
        raise ValueError(f"order must be one of {', '.join(get_args(Order))}, received {order!r}")
    array = source if isinstance(source, np.ndarray) else _channels_last(_as_array(source))
    _check_shape(array)
    pixels = array if array.dtype == _UINT8 else _to_8_bits(array)
    if pixels.ndim == 2:
        return pixels
    if pixels.shape[2] == 1:
        return pixels[..., 0]
    if pixels.shape[2] == 4:
        pixels = _on_white(pixels)
    return pixels if order == "rgb" else pixels[..., ::-1]


def as_rgb(source: Any, order: Order = "rgb") -> Rgb:
    """`as_pixels`, as a copy in RGB that may be written to."""
    pixels = np.array(as_pixels(source, order), order="C")
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels


def check_rgb(image: NDArray[np.generic]) -> Rgb:
    """An image as it is; raises ImageError unless it is uint8 `(H, W, 3)` and not empty."""
    return _check(image, "(H, W, 3)", np.shape(image)[2:] == (3,))


def check_grey(image: NDArray[np.generic]) -> Grey:
    """An image as it is; raises ImageError unless it is uint8 `(H, W)` and not empty."""
    return _check(image, "(H, W)", np.ndim(image) == 2)


def _check(array: NDArray[np.generic], expected: str, fits: bool) -> NDArray[np.uint8]:
    if not isinstance(array, np.ndarray):
        raise ImageError(
            f"cannot use {type(array).__name__} as an image here: expected a uint8 array of shape "
            f"{expected}"
        )
    if array.dtype != _UINT8 or not fits:
        raise _refusal(array, expected)
    _check_size(array)
    return np.asarray(array, dtype=np.uint8)


def _as_array(source: Any) -> NDArray[Any]:
    try:
        if hasattr(source, "__dlpack__"):
            return np.from_dlpack(source)
        return np.asarray(source)
    except Exception as error:  # each library raises its own
        raise ImageError(
            f"cannot use {type(source).__name__} as an image: {first_line(error)}; pass a tensor "
            "of the CPU without gradients, as tensor.detach().cpu()"
        ) from error


def _channels_last(array: NDArray[Any]) -> NDArray[Any]:
    first = array.ndim == 3 and array.shape[0] in _CHANNELS and array.shape[2] not in _CHANNELS
    return np.moveaxis(array, 0, 2) if first else array


def _check_shape(array: NDArray[Any]) -> None:
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in _CHANNELS)):
        raise _refusal(array, _FORMS)
    _check_size(array)


def _check_size(array: NDArray[Any]) -> None:
    if array.size == 0:
        raise ImageError(f"cannot use an array as an image: it is empty, shape {array.shape}")


def _refusal(array: NDArray[Any], expected: str) -> ImageError:
    return ImageError(
        f"cannot use an array as an image: expected uint8 of shape {expected}, "
        f"received {array.dtype} of shape {array.shape}"
    )


def _to_8_bits(array: NDArray[Any]) -> NDArray[np.uint8]:
    if not np.issubdtype(array.dtype, np.floating):
        raise _refusal(array, _FORMS)
    low, high = float(array.min()), float(array.max())  # NaN, if any value is
    if not 0 <= low <= high <= 1:
        raise ImageError(
            "cannot use an array as an image: expected floats from 0 to 1, "
            f"received {low:.4g} to {high:.4g}; convert those from 0 to 255 to uint8"
        )
    scaled = np.multiply(array, 255, dtype=np.float32)
    return np.ascontiguousarray(np.rint(scaled, out=scaled), dtype=np.uint8)


def _on_white(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if array[..., 3].min() == 255:
        return array[..., :3]
    return np.asarray(on_white(Image.fromarray(np.ascontiguousarray(array))))
