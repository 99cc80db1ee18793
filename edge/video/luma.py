"""Frames as the tracker takes them: grey ones, and a grey view of those in colour."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from edge.image import Grey, ImageSource, Rgb, check_grey, check_rgb, load_image, to_grey


class Luma:
    """A grey view of a colour image, converted only where it is indexed.

    Tracking crops a few faces of a frame; converting the whole frame would take longer than those.

    Attributes:
        shape: height and width, px.
        size: how many pixels there are.
    """

    def __init__(self, image: Rgb) -> None:
        """Of an image, uint8 `(H, W, 3)`, that is not changed."""
        self._image = np.ascontiguousarray(image)
        self.shape = image.shape[:2]
        self.size = self.shape[0] * self.shape[1]

    def __getitem__(self, part: Any) -> Grey:
        """The grey of a part, as numpy would index it; as `to_grey`."""
        return to_grey(np.ascontiguousarray(self._image[part]))

    def window(self, low: tuple[int, int], high: tuple[int, int]) -> Image.Image:
        """The grey of the pixels from `low` to before `high` (x, y), within the image."""
        (left, top), (right, bottom), width = low, high, self.shape[1]
        first = 3 * (top * width + left)
        rows = self._image.reshape(-1)[first : first + 3 * (bottom - top) * width]
        colours = Image.frombuffer(
            "RGB", (right - left, bottom - top), rows, "raw", "RGB", 3 * width, 1
        )
        return colours.convert("L")


def view_frame(source: ImageSource) -> Rgb | Grey:
    """As `load_image`, but an array is returned as it is, grey or colour: not to be written to."""
    if not isinstance(source, np.ndarray):
        return load_image(source)
    return check_grey(source) if source.ndim == 2 else check_rgb(source)
