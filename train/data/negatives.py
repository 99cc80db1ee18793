"""Pictures that hold no face, or less than a third of one, for teaching what a face is not."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.crop import cut
from edge.geometry.similarity import similarity
from edge.image import load_image, to_grey
from train.errors import DataError

_HELD_BACK = 5
_TILES = 4  # per side, of a shuffled face
_PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png")


def make_nonfaces(
    faces: NDArray[np.uint8], photos: list[NDArray[np.uint8]], count: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Make pictures that are not faces.

    Where photos without faces are given, half are cut from those at random places and sizes. The
    others come from faces: shifted until less than a third is left, a small part enlarged, or cut
    into tiles and shuffled.

    Args:
        faces: uint8 `(N, S, S)`.
        photos: grey pictures without faces, uint8 `(H, W)` each; may be empty.
        count: how many to make.
        rng: where chance comes from.

    Returns:
        uint8 `(count, S, S)`.
    """
    size = faces.shape[1]
    makers = (_shifted, _enlarged, _shuffled)
    made = []
    for _ in range(count):
        if photos and rng.random() < 0.5:
            made.append(_cut_photo(photos[rng.integers(len(photos))], size, rng))
        else:
            face = faces[rng.integers(len(faces))]
            made.append(makers[rng.integers(len(makers))](face, rng))
    return np.stack(made)


def load_photos(folder: str | Path) -> list[NDArray[np.uint8]]:
    """Four fifths of a folder's pictures, grey, in order of their names.

    Every fifth is left for measuring (`benchmarks.evaluation.face_score`).

    Raises:
        DataError: the folder is missing or holds no picture.
    """
    folder = Path(folder)
    paths = sorted(p for p in folder.glob("*") if p.suffix.lower() in _PICTURE_SUFFIXES)
    if not paths:
        raise DataError(f"{folder}: no picture there; expected a folder of .jpg or .png files")
    learnt = [path for i, path in enumerate(paths) if i % _HELD_BACK != _HELD_BACK - 1]
    return [to_grey(load_image(path)) for path in learnt]


def hash_photos(photos: list[NDArray[np.uint8]]) -> str:
    """SHA-256 over the pixels of all photos, as hexadecimal digits; "" where there are none."""
    if not photos:
        return ""
    digest = hashlib.sha256()
    for photo in photos:
        digest.update(str(photo.shape).encode() + photo.tobytes())
    return digest.hexdigest()


def _shifted(face: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    size = len(face)
    angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(0.7, 1.0) * size
    centre = (size - 1) / 2
    target = (centre + length * np.cos(angle), centre + length * np.sin(angle))
    return cut(face, similarity(rng.uniform(0.8, 1.3), 0.0, (centre, centre), target), size)


def _enlarged(face: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    size = len(face)
    x, y = rng.uniform(0.1 * size, 0.9 * size, size=2)
    centre = (size - 1) / 2
    turn = rng.uniform(-30, 30)
    return cut(face, similarity(rng.uniform(3, 7), turn, (x, y), (centre, centre)), size)


def _shuffled(face: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    side = len(face) // _TILES
    tiles = face.reshape(_TILES, side, _TILES, side).swapaxes(1, 2).reshape(-1, side, side)
    mixed = tiles[rng.permutation(len(tiles))].reshape(_TILES, _TILES, side, side)
    return np.ascontiguousarray(mixed.swapaxes(1, 2).reshape(face.shape))


def _cut_photo(photo: NDArray[np.uint8], size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    height, width = photo.shape
    shorter = min(height, width)
    side = shorter * rng.uniform(min(0.9, 16 / shorter), 1.0)
    centre = (rng.uniform(side / 2, width - side / 2), rng.uniform(side / 2, height - side / 2))
    middle = (size - 1) / 2
    matrix = similarity(size / side, rng.uniform(-45, 45), centre, (middle, middle))
    return cut(photo, matrix, size)
