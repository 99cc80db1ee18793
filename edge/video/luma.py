"""Frames as the tracker takes them: grey ones, and a grey view of those in colour."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from edge.formats.arrays import as_pixels
from edge.image import Grey, ImageSource, Order, Rgb, is_array, load_image, to_grey


class Luma:
    """A grey view of a colour image, converted only where it is indexed.

    Tracking crops a few faces of a frame; converting the whole frame would take longer than those.

    Attributes:
        shape: height and width, px.
        size: how many pixels there are.
    """

    def __init__(self, image: Rgb) -> None:
        """Of an image, uint8 `(H, W, 3)`, that is not changed; BGR as a reversed view of it."""
        self._step = 1 if image.strides[2] >= 0 else -1  # from red to green in memory
        self._image = np.ascontiguousarray(image[..., :: self._step])
        self.shape = image.shape[:2]
        self.size = self.shape[0] * self.shape[1]

    def __getitem__(self, part: Any) -> Grey:
        """The grey of a part, as numpy would index it; as `to_grey`."""
        return to_grey(np.ascontiguousarray(self._image[part])[..., :: self._step])

    def window(self, low: tuple[int, int], high: tuple[int, int]) -> Image.Image:
        """The grey of the pixels from `low` to before `high` (x, y), within the image."""
        (left, top), (right, bottom), width = low, high, self.shape[1]
        first = 3 * (top * width + left)
        rows = self._image.reshape(-1)[first : first + 3 * (bottom - top) * width]
        mode = "RGB" if self._step == 1 else "BGR"
        colours = Image.frombuffer(
            "RGB", (right - left, bottom - top), rows, "raw", mode, 3 * width, 1
        )
        return colours.convert("L")


def view_frame(source: ImageSource, order: Order = "rgb") -> Rgb | Grey:
    """As `load_image`, but a view of an array, grey or colour, where possible."""
    return as_pixels(source, order) if is_array(source) else load_image(source)
