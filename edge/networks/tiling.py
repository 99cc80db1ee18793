"""Tiles in which panoramas and strips are searched, so that their faces are not scaled away.

A tile of the short side's length finds small faces, one twice as long those that the border of a
short tile may cut. Both overlap their neighbours by more than the faces that they are for.

Legend: T tiles, M boxes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge.geometry.boxes import intersection_over_union
from edge.networks.detections import Detections

MAX_ASPECT = 2.5  # of an image that is searched as a whole: photos, films, screenshots of phones
# The overlap, in parts of a tile's length. A face of a tenth of a short tile's length, which is
# wider with its error, is found at half the size in a long one.
SHORT_OVERLAP, LONG_OVERLAP = 0.2, 0.5
SMALLEST_FACE = 1 / 27  # of a tile's length; a narrower strip has no room for one
MAX_IOU = 0.4  # above which two boxes of different tiles are the same face
EDGE = 0.01  # of a tile's length: a box nearer to the border of a tile may be a part of a face

Tile = tuple[int, int]  # first pixel and length along the longer side


def tiles(longer: int, shorter: int, min_length: int) -> list[Tile]:
    """The tiles of an image along its longer side; none where it is searched as a whole.

    Args:
        longer: length of the longer side, px.
        shorter: of the shorter side, px.
        min_length: of a tile, px; shorter ones would have to be enlarged too far.
    """
    length = max(shorter, min_length)
    if longer <= MAX_ASPECT * length or shorter < SMALLEST_FACE * length:
        return []
    return [*_row(longer, length, SHORT_OVERLAP), *_row(longer, 2 * length, LONG_OVERLAP)]


def searched_length(longer: int, shorter: int, min_length: int) -> int:
    """The length of an image that is scaled to the detector's size: its own, or a short tile's."""
    found = tiles(longer, shorter, min_length)
    return found[0][1] if found else longer


def _row(longer: int, length: int, overlap: float) -> list[Tile]:
    """Tiles of one length, evenly spread, that overlap by at least a part of it."""
    count = math.ceil((longer - length) / ((1 - overlap) * length)) + 1
    step = (longer - length) / (count - 1)
    return [(int(i * step), length) for i in range(count)]


def are_cut(boxes: NDArray[np.float32], axis: int, tile: Tile, longer: int) -> NDArray[np.bool_]:
    """Mask `(M,)` of the boxes that reach the border of a tile within the image.

    Args:
        boxes: `(M, 4)` px of the image.
        axis: of the longer side, 0 for x.
        tile: the tile in which they were found.
        longer: length of the longer side, px.
    """
    start, length = tile
    low, high = boxes[:, axis], boxes[:, axis] + boxes[:, axis + 2]
    margin = EDGE * length
    is_cut = (start > 0) & (low < start + margin)
    return np.asarray(is_cut | ((start + length < longer) & (high > start + length - margin)))


def merge(parts: list[Detections]) -> Detections:
    """The detections of all tiles, the highest score first, without those found twice."""
    found = join(parts)
    order = np.argsort(-np.asarray(found.scores), kind="stable")
    iou = intersection_over_union(found.boxes[order], found.boxes[order])
    kept: list[int] = []
    for i in range(len(order)):
        if not (iou[i, kept] > MAX_IOU).any():
            kept.append(i)
    return found.take(order[kept])


def join(parts: list[Detections]) -> Detections:
    """The detections of several searches of an image, one after the other."""
    boxes = np.concatenate([part.boxes for part in parts])
    scores = np.concatenate([np.asarray(part.scores) for part in parts])
    has_rolls = all(part.rolls is not None for part in parts)
    rolls = np.concatenate([np.asarray(part.rolls) for part in parts]) if has_rolls else None
    return Detections(boxes, scores, rolls=rolls)
