"""Large JPEG files, decoded to a part of their size first, and to more of it for small crops alone.

Faces are detected at a few hundred pixels, and a large face has more pixels than its crop. A JPEG
decoder can leave out the finer frequencies and the colours: a file of 12 megapixels takes a fifth
of the time then.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from PIL import Image

from edge.crop import scaling
from edge.formats.open_files import read_open
from edge.geometry.affine import Matrix, compose, scale_of
from edge.image import (
    MAX_PIXELS,
    Grey,
    ImageSource,
    Order,
    load_grey,
    upright,
)

_FORMATS = ("JPEG", "MPO")  # the latter holds several; the first is shown
_FACTORS = (8, 4, 2)  # by which the decoder can shrink both sides
_MIN_SIDE = 1.5  # of what is decoded, in parts of the detect size: it is shrunk with a filter
_File = str | os.PathLike[str] | bytes


class ReducedGrey:
    """The grey of a JPEG file, as `edge.crop.cut` takes it.

    Attributes:
        reduced: uint8 `(H, W)`, in which faces are detected.
        factor: by which the sides of the image are longer than those of `reduced`.
        shape: height and width of the image, px.
        size: how many pixels it has, of which memory may hold all.
    """

    def __init__(self, file: _File, reduced: Grey, factor: int) -> None:
        """Of a file that was decoded once; it is decoded again where a crop needs more pixels."""
        self.reduced, self.factor = reduced, factor
        self._file, self._levels = file, {factor: reduced}
        height, width = reduced.shape
        self.shape = factor * height, factor * width
        self.size = math.prod(self.shape)

    def detect(self, detector: Callable[[Grey, int], Any], detect_size: int) -> Any:
        """What a detector (`edge.networks.detections`) finds in the reduced grey, in image px."""
        detections = detector(self.reduced, detect_size)
        x, y, width, height = (detections.boxes * np.float32(self.factor)).T
        offset = np.float32((self.factor - 1) / 2)  # of the centre of a corner's pixel
        return replace(detections, boxes=np.stack([x + offset, y + offset, width, height], axis=1))

    def level(self, matrix: Matrix) -> tuple[Grey, Matrix]:
        """The smallest grey that a crop does not enlarge, and the matrix from it to the crop."""
        scale = scale_of(matrix)
        factor = next((f for f in _FACTORS if f <= self.factor and f * scale <= 1), 1)
        if factor not in self._levels:
            min_side = min(self.shape) / factor
            decoded = _decode(self._file, min_side, 1)
            self._levels[factor] = load_grey(self._file) if decoded is None else decoded[0]
        return self._levels[factor], compose(matrix, scaling(factor))


def load_reduced_grey(
    source: ImageSource, detect_size: int, is_searched: bool = True, order: Order = "rgb"
) -> Grey | ReducedGrey:
    """As `load_grey`, but a large JPEG file is reduced, and its grey is the luma that it holds.

    Args:
        source: as for `load_grey`.
        detect_size: length of the longer side at which faces are detected, px.
        is_searched: whether faces are detected; else the whole image is one, and none is reduced.
        order: as for `load_grey`.

    Raises:
        ImageError, SourceError: as `load_grey`.
    """
    if hasattr(source, "read"):
        source = read_open(source)
    if is_searched and (isinstance(source, bytes) or _is_file(source)):
        decoded = _decode(source, _MIN_SIDE * detect_size, min(_FACTORS))
        if decoded is not None:
            return ReducedGrey(source, *decoded)
    return load_grey(source, order)


def _is_file(source: ImageSource) -> TypeGuard[str | os.PathLike[str]]:
    """Whether it is a path that can be read twice."""
    return isinstance(source, str | os.PathLike) and Path(source).is_file()


def _decode(file: _File, min_side: float, min_factor: int) -> tuple[Grey, int] | None:
    """The luma of a JPEG file and its factor; None for other and damaged files, and small ones."""
    try:
        readable = io.BytesIO(file) if isinstance(file, bytes) else file
        with Image.open(readable, formats=_FORMATS) as image:
            if image.mode != "RGB" or math.prod(image.size) > MAX_PIXELS or not _is_srgb(image):
                return None
            width, height = image.size
            factor = _factor(width, height, min_side)
            if factor < min_factor:
                return None
            image.draft("L", (width // factor, height // factor))
            image.load()
            return np.asarray(upright(image)), factor
    except Exception:  # decoders raise whatever damage leads to; `load_grey` says what it is
        return None


def _factor(width: int, height: int, min_side: float) -> int:
    """The largest factor that divides both sides, so that pixels map exactly when turned too."""
    return next(
        (
            factor
            for factor in _FACTORS
            if width % factor == height % factor == 0 and min(width, height) >= factor * min_side
        ),
        1,
    )


def _is_srgb(image: Image.Image) -> bool:
    profile = image.info.get("icc_profile")
    if not profile:
        return True
    from edge.formats.colour import is_srgb  # imports LittleCMS

    return is_srgb(profile)
