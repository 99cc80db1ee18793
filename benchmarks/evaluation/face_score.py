"""Separation of faces from non-faces by `face_score`: negative crops and the area under the ROC."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets.photos import Photo
from edge.crop import cut
from edge.geometry.affine import compose, crop_matrix
from edge.geometry.boxes import intersection
from edge.geometry.keypoint_frame import upright_matrix
from edge.geometry.similarity import similarity
from edge.image import load_image, to_grey

HELD_OUT = 5  # training skips every fifth photo without faces; benchmarks use these
_CROPS_PER_PHOTO = 4
_SIDES = (0.15, 1.0)  # of a photo's shorter side
_PART_SIDES = (0.5, 1.5)  # of a face's square
_MAX_FACE_SHARE = 1 / 3  # a crop that contains less of a face is a negative


def cut_faces(photos: list[Photo], size: int) -> NDArray[np.uint8]:
    """The annotated face of each photo, uint8 `(F, size, size)`."""
    return np.stack([cut(photo.grey, crop_matrix(photo.square, size), size) for photo in photos])


def cut_turned(photos: list[Photo], size: int, angle_deg: float) -> NDArray[np.uint8]:
    """The annotated face of each photo, turned off upright, uint8 `(F, size, size)`.

    Args:
        photos: with one annotated face each.
        size: side of a crop, px.
        angle_deg: between the face in the crop and an upright one, clockwise as seen.
    """
    crops = []
    for photo in photos:
        upright = upright_matrix(photo.keypoints, size)
        if upright is None:
            raise ValueError("the annotated keypoints of a face coincide")
        middle = (size - 1) / 2
        turn = similarity(1.0, angle_deg, (middle, middle), (middle, middle))
        crops.append(cut(photo.grey, compose(turn, upright), size))
    return np.stack(crops)


def cut_nonfaces(folder: Path, size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Random crops of the held-out photos without faces, uint8 `(N, size, size)`.

    Raises:
        ValueError: the folder has too few photos.
    """
    crops = []
    for path in sorted(folder.glob("*.jpg"))[HELD_OUT - 1 :: HELD_OUT]:
        grey = to_grey(load_image(path))
        for _ in range(_CROPS_PER_PHOTO):
            side = rng.uniform(*_SIDES) * min(grey.shape)
            x, y = rng.uniform(0, np.array(grey.shape[::-1]) - side)
            crops.append(cut(grey, crop_matrix([x, y, side, side], size), size))
    if not crops:
        raise ValueError(f"{folder}: expected at least {HELD_OUT} photos (.jpg)")
    return np.stack(crops)


def cut_parts(photos: list[Photo], size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """For each face a crop that contains less than a third of it, uint8 `(F, size, size)`."""
    squares = [square_of_part(photo.square, rng) for photo in photos]
    pairs = zip(photos, squares, strict=True)
    return np.stack([cut(photo.grey, crop_matrix(square, size), size) for photo, square in pairs])


def square_of_part(face: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """A random square near a face's square, `(4,)` px, that covers less than a third of it."""
    while True:
        side = face[2] * rng.uniform(*_PART_SIDES)
        corner = face[:2] + (face[2] - side) / 2 + rng.uniform(-1, 1, size=2) * face[2]
        square = np.array([*corner, side, side])
        if covered_share(face, square) < _MAX_FACE_SHARE:
            return square


def covered_share(face: NDArray[np.float64], square: NDArray[np.float64]) -> float:
    """Share of a face's square that another square covers, 0–1."""
    return float(intersection(face, square) / np.prod(face[2:]))
