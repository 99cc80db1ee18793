"""Transparent images, composited over white."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image


def on_white(
    image: Image.Image, convert: Callable[[Image.Image], Image.Image] | None = None
) -> Image.Image:
    """An image of any mode with transparency, over white; RGB.

    Args:
        image: to be composited over white.
        convert: makes RGB of its colours, given as L or RGB; None for RGB as it is.
    """
    clear = image.convert("RGBA")
    if convert:
        colours = convert(clear.convert("L" if image.mode in ("LA", "La") else "RGB"))
        colours.putalpha(clear.getchannel("A"))
        clear = colours
    white = Image.new("RGBA", clear.size, "white")
    return Image.alpha_composite(white, clear).convert("RGB")
