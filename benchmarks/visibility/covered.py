"""Photos of faces that are covered or cut off, and which of their keypoints are hidden.

Legend: H, W height and width of a photo, K keypoints (15).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets.photos import Photo
from benchmarks.visibility.occlusions import KINDS, Material, Setting
from edge.geometry.face_frame import fit_mean_face

CUT, BLACK = "cut off", "black border"
CUTS = (CUT, BLACK)
_RIM = 0.02  # of the side of the face's square: about the error of the labels


@dataclass(frozen=True, slots=True)
class Covered:
    """A photo whose face is covered.

    Attributes:
        photo: with the labels of all keypoints.
        hidden: bool `(K,)`, which keypoints are hidden.
        is_clear: bool `(K,)`, those that are not at the rim of what hides others.
    """

    photo: Photo
    hidden: NDArray[np.bool_]
    is_clear: NDArray[np.bool_]


def cover(photo: Photo, kind: str, material: Material, rng: np.random.Generator) -> Covered:
    """Cover a photo by one of `KINDS`, or end it within the face, as `CUTS` names it."""
    if kind in CUTS:
        return cut_off(photo, rng, is_black=kind == BLACK)
    pose = fit_mean_face(photo.keypoints)
    assert pose is not None, "the labels frame a face"
    opacity, grey = KINDS[kind][0](Setting(photo, pose, material, rng))
    mixed = photo.grey + (grey - photo.grey) * opacity
    covered = replace(photo, grey=np.clip(np.rint(mixed), 0, 255).astype(np.uint8))
    size = 2 * max(1, round(_RIM * float(photo.square[2]))) + 1
    around = _at(np.asarray(cv2.blur(opacity, (size, size)), np.float32), photo.keypoints)
    is_hidden = _at(opacity, photo.keypoints) > 0.5
    return Covered(covered, is_hidden, np.where(is_hidden, around > 0.85, around < 0.02))


def _at(values: NDArray[np.float32], points: NDArray[np.float32]) -> NDArray[np.float32]:
    """The values `(K,)` at points; beyond the image those at its end."""
    height, width = values.shape
    x, y = np.rint(points).astype(int).T
    return np.asarray(values[y.clip(0, height - 1), x.clip(0, width - 1)], np.float32)


def cut_off(photo: Photo, rng: np.random.Generator, is_black: bool) -> Covered:
    """A photo that ends within the face, or is black from there on."""
    axis, at_end, share = int(rng.integers(2)), bool(rng.integers(2)), rng.uniform(0.1, 0.6)
    along = photo.keypoints[:, axis]
    low, high = float(along.min()), float(along.max())
    place = int(np.clip(low + share * (high - low), 8, photo.grey.shape[1 - axis] - 8))
    hidden = along > place - 0.5 if at_end else along < place - 0.5
    is_clear = np.abs(along - place + 0.5) > _RIM * photo.square[2]
    # The axis 0 of points is x, the second one of the array.
    grey = np.moveaxis(photo.grey, 1 - axis, 0)
    if is_black:
        grey = grey.copy()
        grey[slice(place, None) if at_end else slice(None, place)] = 0
        whole = np.ascontiguousarray(np.moveaxis(grey, 0, 1 - axis))
        return Covered(replace(photo, grey=whole), hidden, is_clear)
    offset = np.zeros(2, np.float32)
    offset[axis] = 0 if at_end else place
    kept = np.moveaxis(grey[:place] if at_end else grey[place:], 0, 1 - axis)
    moved = Photo(np.ascontiguousarray(kept), photo.keypoints - offset)
    return Covered(moved, hidden, is_clear)
