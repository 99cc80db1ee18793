"""Frames, and how decoded ones are meant to be shown: turned, mirrored, with square pixels.

Phones and screen recorders leave the pixels as the sensor gave them and store a display matrix;
DVDs and tapes store pixels that are not square. Players apply both.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from edge.image import Rgb

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.stream import VideoStream

_MATRIX = struct.Struct("=9i")  # libavutil/display.h
_SHAPES = (Fraction(1, 4), Fraction(4))  # of pixels; others are broken headers


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame.

    Attributes:
        number: from 0, counting all frames of a file, or those read of a live source.
        time: when it is shown: seconds after the first frame of the file or live source.
        image: uint8 `(H, W, 3)`, RGB, upright, with square pixels.
    """

    number: int
    time: float
    image: Rgb


class Display:
    """Turns decoded frames into images as they are meant to be shown."""

    def __init__(self, stream: VideoStream) -> None:
        """Show the frames of `stream`."""
        self._stream = stream
        self._size: tuple[int, int] | None = None

    def image(self, frame: VideoFrame) -> Rgb:
        """A decoded frame as uint8 `(H, W, 3)`, RGB, upright, with square pixels.

        The size may change within a stream; as a player does, the first one is kept.
        """
        shape = self._stream.sample_aspect_ratio
        self._size = self._size or square_pixel_size(frame.width, frame.height, shape)
        rgb = frame.to_ndarray(format="rgb24", width=self._size[0], height=self._size[1])
        matrix = cast(Any, frame.side_data.get("DISPLAYMATRIX"))
        return upright(np.asarray(rgb, np.uint8), None if matrix is None else bytes(matrix))


def upright(image: Rgb, matrix: bytes | None) -> Rgb:
    """Turn and mirror a frame as its display matrix says.

    Angles between quarter turns, which no camera writes, are rounded to the nearest.

    Args:
        image: uint8 `(H, W, 3)`, as decoded.
        matrix: nine native 32-bit integers (ISO 14496-12 §6.2.2, libavutil's
            `AV_FRAME_DATA_DISPLAYMATRIX`); None for none.

    Returns:
        uint8 `(H, W, 3)`, or `(W, H, 3)` after a quarter turn; contiguous.
    """
    if matrix is None or len(matrix) != _MATRIX.size:
        return image
    # A pixel at column x and row y is shown at column a·x + c·y and row b·x + d·y.
    a, b, _, c, d, _, _, _, _ = _MATRIX.unpack(matrix)
    if abs(a) + abs(d) >= abs(b) + abs(c):
        columns, rows = a, d
    else:
        image = image.transpose(1, 0, 2)
        columns, rows = c, b
    image = image[:, ::-1] if columns < 0 else image
    image = image[::-1] if rows < 0 else image
    return np.ascontiguousarray(image)


def square_pixel_size(width: int, height: int, pixel_shape: Fraction | None) -> tuple[int, int]:
    """The size at which a frame has square pixels.

    Args:
        width: as decoded, px.
        height: likewise.
        pixel_shape: width of a pixel over its height (sample aspect ratio); None or a value that
            no format uses counts as square.

    Returns:
        Width and height, px. The shorter side of a pixel is enlarged, so that no detail is lost.
    """
    if not pixel_shape or not _SHAPES[0] <= pixel_shape <= _SHAPES[1]:
        return width, height
    if pixel_shape >= 1:
        return round(width * pixel_shape), height
    return width, round(height / pixel_shape)
