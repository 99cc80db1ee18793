"""The photos that canvases are composed of, and how they are drawn at random.

Legend: P photos. A box is x, y, width, height in px (`train.detector.boxes`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from train.detector.false_negatives import FalseNegatives
from train.detector.false_positives import FalsePositives
from train.detector.occluders import cover_faces
from train.detector.photos import NO_BOXES, Boxes, Photo

_MASK_RATE = 0.25  # of the photos of sets without masks; in the masked set most faces wear one
_HAT_RATE = 0.12  # of all photos
_FALSE_NEGATIVE_RATE = (
    0.35  # of the photos are drawn for a false negative; the majority stays random
)
_FALSE_POSITIVE_RATE = 0.5  # of the negatives show a false positive; the others whatever is there
_MIRROR_RATE = 0.5
_FACE_RATE = 0.8  # of overlaid images show a face; the rest, so that borders do not mark one
_MIN_PATCH = 24  # px, side of a patch of a photo without faces
_MIN_FALSE_POSITIVE_PATCH = 12  # px; the smallest false positives are that small
_FALSE_POSITIVE_CONTEXT = (1.0, 2.5)  # side of a patch, in sizes of the false positive in it


class Target(NamedTuple):
    """What a negative photo is drawn for: centre of a false positive and its size, px."""

    x: float
    y: float
    size: float


@dataclass(frozen=True, slots=True)
class PhotoPool:
    """What canvases are composed of.

    Attributes:
        photos: complete photos.
        cumulative: cumulative probabilities with which the photos are drawn, `(P,)`, rising to 1.
        cut_faces: images that are cropped to one face.
        negatives: photos without faces, uint8 `(H, W)` each.
        false_positives: of a detector in the negatives; they are sampled more often.
        false_negatives: of a detector in `photos`; likewise.
        masked: name of the set whose people wear masks already.
    """

    photos: list[Photo]
    cumulative: NDArray[np.float64]
    cut_faces: list[Photo]
    negatives: list[NDArray[np.uint8]]
    false_positives: FalsePositives = field(default_factory=FalsePositives)
    false_negatives: FalseNegatives = field(default_factory=FalseNegatives)
    masked: str = "facemask"


def draw_photo(pool: PhotoPool, rng: np.random.Generator) -> tuple[Photo, int | None]:
    """A random photo, augmented, and the face it was drawn for if it is a false negative."""
    missed = pool.false_negatives
    face = None
    if len(missed) and rng.random() < _FALSE_NEGATIVE_RATE:
        i = rng.integers(len(missed))
        photo = pool.photos[missed.photos[i]]
        face = int(missed.faces[i])
    else:
        photo = pool.photos[np.searchsorted(pool.cumulative, rng.random())]
    return _augment(photo, pool, rng), face


def draw_cut_face(pool: PhotoPool, rng: np.random.Generator) -> Photo:
    """A random image that is cropped to one face, augmented."""
    return _augment(pool.cut_faces[rng.integers(len(pool.cut_faces))], pool, rng)


def draw_negative(
    pool: PhotoPool, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], Target | None]:
    """A random photo without faces, and the false positive it was drawn for, if any."""
    found = pool.false_positives
    if not len(found) or rng.random() > _FALSE_POSITIVE_RATE:
        return pool.negatives[int(rng.integers(len(pool.negatives)))], None
    i = rng.integers(len(found))
    x, y, width, height = found.boxes[i].tolist()
    target = Target(x + width / 2, y + height / 2, float(np.sqrt(width * height)))
    return pool.negatives[int(found.photos[i])], target


def draw_patch(pool: PhotoPool, rng: np.random.Generator) -> Photo | None:
    """A square patch of a photo without faces; None with probability `_FACE_RATE`."""
    if not pool.negatives or rng.random() < _FACE_RATE:
        return None
    pixels, target = draw_negative(pool, rng)
    if target is None:
        side = int(rng.integers(_MIN_PATCH, min(pixels.shape)))
        top, left = (int(rng.integers(0, length - side + 1)) for length in pixels.shape)
    else:
        context = rng.uniform(*_FALSE_POSITIVE_CONTEXT)
        side = int(np.clip(target.size * context, _MIN_FALSE_POSITIVE_PATCH, min(pixels.shape)))
        top, left = (
            int(np.clip(centre - side / 2, 0, length - side))
            for centre, length in zip((target.y, target.x), pixels.shape, strict=True)
        )
    patch = pixels[top : top + side, left : left + side]
    return Photo(patch, NO_BOXES, NO_BOXES, "negatives")


def _augment(photo: Photo, pool: PhotoPool, rng: np.random.Generator) -> Photo:
    """A photo with random masks and hats, perhaps mirrored."""
    photo = cover_faces(
        photo,
        masks=photo.source != pool.masked and rng.random() < _MASK_RATE,
        hats=rng.random() < _HAT_RATE,
        rng=rng,
    )
    return _mirror(photo) if rng.random() < _MIRROR_RATE else photo


def _mirror(photo: Photo) -> Photo:
    width = photo.pixels.shape[1]
    pixels = np.ascontiguousarray(photo.pixels[:, ::-1])
    boxes, ignored = (_mirror_boxes(boxes, width) for boxes in (photo.boxes, photo.ignored))
    return Photo(pixels, boxes, ignored, photo.source)


def _mirror_boxes(boxes: Boxes, width: int) -> Boxes:
    mirrored = boxes.copy()
    mirrored[:, 0] = width - boxes[:, 0] - boxes[:, 2]
    return mirrored
