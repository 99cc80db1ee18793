"""Parts of photos that show no face: streets, rooms, clothes and hands, as around other faces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.geometry.boxes import pairwise_intersection
from train.detector.photos import Photo, photo_without_faces

SUFFIX = " background"  # of the name of the set
_MIN_SIDE = 96  # px; of smaller parts only a blur is left on a canvas
_LARGEST_SHARE = 0.7  # of the photo's shorter side
_TRIES = 60
_MOST = 4  # parts of a photo
_MARGIN = 0.2  # of a face's sides, kept free around it
_MAX_OVERLAP = 0.3  # of a part, with another of the same photo


def cut_backgrounds(photo: Photo, rng: np.random.Generator) -> list[Photo]:
    """Cut squares out of a photo that show none of its faces and regions to be ignored.

    Args:
        photo: not modified.
        rng: random generator.

    Returns:
        At most four photos without faces; none of a photo that is too small.
    """
    height, width = photo.pixels.shape
    largest = int(_LARGEST_SHARE * min(height, width))
    if largest < _MIN_SIDE:
        return []
    boxes = np.concatenate([photo.boxes, photo.ignored])
    margin = _MARGIN * boxes[:, 2:]
    taken = np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + 2 * margin], axis=1)
    parts: list[NDArray[np.float64]] = []
    for _ in range(_TRIES):
        side = int(rng.integers(_MIN_SIDE, largest + 1))
        corner = rng.integers(0, (width - side + 1, height - side + 1))
        part = np.array([*corner, side, side], np.float64)
        is_free = not _shared(part, taken).any()
        if is_free and all(_shared(part, each[None])[0] <= _MAX_OVERLAP for each in parts):
            parts.append(part)
    return [_cut(photo, part.astype(int)) for part in parts[:_MOST]]


def _cut(photo: Photo, part: NDArray[np.int_]) -> Photo:
    x, y, side, _ = part
    pixels = photo.pixels[y : y + side, x : x + side].copy()
    return photo_without_faces(pixels, photo.source + SUFFIX)


def _shared(part: NDArray[np.float64], boxes: NDArray[np.floating]) -> NDArray[np.float64]:
    """The share of a box `(4,)` that each of `(M, 4)` covers, `(M,)`."""
    return np.asarray(pairwise_intersection(part[None], boxes)[0] / part[2:].prod())
