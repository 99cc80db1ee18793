"""Variants of photos: faces with masks and hats, and drawn objects that are mistaken for faces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from train.detector.distractors import draw_distractors
from train.detector.occluders import cover_faces
from train.detector.photos import Photo

_COVERED_RATE = 0.5  # of the photos have a variant with covered faces, masks more often than hats
_MASK_RATE = 0.36
_NO_HAT_RATE = 0.3
_HAT_RATE = 0.15  # of the photos of a set with masks have a variant with hats
_DRAWN_RATE = 0.6  # of the photos without faces have a variant with drawn objects


def make_variant(photo: Photo, is_masked: bool, rng: np.random.Generator) -> Photo | None:
    """A variant of a photo, or None.

    Args:
        photo: not modified.
        is_masked: whether most of its people wear masks already.
        rng: random generator.
    """
    drawn = rng.random()
    if not len(photo.boxes) and not len(photo.ignored):
        if drawn >= _DRAWN_RATE:
            return None
        return replace(photo, pixels=draw_distractors(photo.pixels, photo.boxes, rng))
    if is_masked:
        return cover_faces(photo, masks=False, hats=True, rng=rng) if drawn < _HAT_RATE else None
    if drawn >= _COVERED_RATE:
        return None
    return cover_faces(photo, masks=drawn < _MASK_RATE, hats=drawn > _NO_HAT_RATE, rng=rng)
