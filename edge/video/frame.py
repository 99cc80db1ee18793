"""One frame of a video or a camera."""

from __future__ import annotations

from dataclasses import dataclass

from edge.image import Rgb


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
