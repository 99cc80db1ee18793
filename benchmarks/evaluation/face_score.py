"""How well `face_score` tells faces from what is none, or less than a third of one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets.photos import Photo
from edge.crop import cut
from edge.geometry.affine import crop_matrix
from edge.geometry.boxes import intersection
from edge.image import load_image, to_grey

HELD_BACK = 5  # training skips every fifth photo without faces; these are measured on
_CROPS_PER_PHOTO = 4
_MOST_OF_A_FACE = 1 / 3


def cut_faces(photos: list[Photo], size: int) -> NDArray[np.uint8]:
    """The annotated face of each photo, uint8 `(F, size, size)`."""
    return np.stack([cut(photo.grey, crop_matrix(photo.square, size), size) for photo in photos])


def cut_nonfaces(folder: Path, size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Squares of every size and place of the held-back photos without faces, `(N, size, size)`.

    Raises:
        ValueError: the folder holds too few photos.
    """
    crops = []
    for path in sorted(folder.glob("*.jpg"))[HELD_BACK - 1 :: HELD_BACK]:
        grey = to_grey(load_image(path))
        for _ in range(_CROPS_PER_PHOTO):
            side = rng.uniform(0.15, 1.0) * min(grey.shape)
            x, y = rng.uniform(0, np.array(grey.shape[::-1]) - side)
            crops.append(cut(grey, crop_matrix([x, y, side, side], size), size))
    if not crops:
        raise ValueError(f"{folder}: expected at least {HELD_BACK} photos (.jpg)")
    return np.stack(crops)


def cut_parts(photos: list[Photo], size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A square for each annotated face that holds less than a third of it, `(F, size, size)`."""
    squares = [square_of_part(photo.square, rng) for photo in photos]
    pairs = zip(photos, squares, strict=True)
    return np.stack([cut(photo.grey, crop_matrix(square, size), size) for photo, square in pairs])


def square_of_part(face: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """A square near or in a face's square (`(4,)` px) that holds less than a third of its area."""
    while True:
        side = face[2] * rng.uniform(0.5, 1.5)
        corner = face[:2] + (face[2] - side) / 2 + rng.uniform(-1, 1, size=2) * face[2]
        square = np.array([*corner, side, side])
        if share_of(face, square) < _MOST_OF_A_FACE:
            return square


def share_of(face: NDArray[np.float64], square: NDArray[np.float64]) -> float:
    """The part of a face's square that lies in another square, 0–1."""
    return float(intersection(face, square) / np.prod(face[2:]))


def area_under_curve(faces: NDArray[np.floating], others: NDArray[np.floating]) -> float:
    """Area under the ROC curve: how often a face scores higher than a non-face, ties count half."""
    ranked = np.sort(others)
    below = np.searchsorted(ranked, faces, side="left")
    up_to = np.searchsorted(ranked, faces, side="right")
    return float((below + up_to).mean() / 2 / len(others))
