"""Negative crops for the face score: no face, or less than a third of one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.crop import cut
from edge.geometry.similarity import similarity
from edge.image import load_image, to_grey
from train.data.photo_files import list_photos
from train.errors import DataError

_BENCHMARK_INTERVAL = 5  # every fifth photo is reserved for `benchmarks`
_PHOTO_RATE = 0.5  # of the crops are from photos, if there are any
_TILES = 4  # per side, of a shuffled face
_MIN_CROP = 16  # px, of the photo


def make_nonfaces(
    faces: NDArray[np.uint8], photos: list[NDArray[np.uint8]], count: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Generate crops without a face.

    With photos, half are cut from those at random positions and sizes. The others are made from
    faces: translated until less than a third is visible, a small part enlarged, or shuffled tiles.

    Args:
        faces: uint8 `(N, S, S)`.
        photos: photos without faces, grey, uint8 `(H, W)` each; may be empty.
        count: number of crops.
        rng: random generator.

    Returns:
        uint8 `(count, S, S)`.
    """
    size = faces.shape[1]
    distortions = (_translate, _enlarge, _shuffle)
    crops = []
    for _ in range(count):
        if photos and rng.random() < _PHOTO_RATE:
            crops.append(_crop_photo(photos[rng.integers(len(photos))], size, rng))
        else:
            face = faces[rng.integers(len(faces))]
            crops.append(distortions[rng.integers(len(distortions))](face, rng))
    return np.stack(crops)


def load_photos(folder: str | Path) -> list[NDArray[np.uint8]]:
    """Read four fifths of a folder's images, grey, uint8 `(H, W)` each, in order of their names.

    Every fifth is reserved for `benchmarks.evaluation.face_score`.

    Raises:
        DataError: the folder is missing or has no images.
    """
    folder = Path(folder)
    paths = list_photos(folder)
    if not paths:
        raise DataError(f"{folder}: no images found; expected a folder of photos")
    reserved = set(paths[_BENCHMARK_INTERVAL - 1 :: _BENCHMARK_INTERVAL])
    return [to_grey(load_image(path)) for path in paths if path not in reserved]


def hash_photos(photos: list[NDArray[np.uint8]]) -> str:
    """SHA-256 over the pixels of all photos, hexadecimal; "" without photos."""
    if not photos:
        return ""
    digest = hashlib.sha256()
    for photo in photos:
        digest.update(str(photo.shape).encode() + photo.tobytes())
    return digest.hexdigest()


def _translate(face: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    size = len(face)
    angle = rng.uniform(0, 2 * np.pi)
    length = rng.uniform(0.7, 1.0) * size
    centre = (size - 1) / 2
    target = (centre + length * np.cos(angle), centre + length * np.sin(angle))
    return cut(face, similarity(rng.uniform(0.8, 1.3), 0.0, (centre, centre), target), size)


def _enlarge(face: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    size = len(face)
    x, y = rng.uniform(0.1 * size, 0.9 * size, size=2)
    centre = (size - 1) / 2
    angle = rng.uniform(-30, 30)
    return cut(face, similarity(rng.uniform(3, 7), angle, (x, y), (centre, centre)), size)


def _shuffle(face: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    side = len(face) // _TILES
    tiles = face.reshape(_TILES, side, _TILES, side).swapaxes(1, 2).reshape(-1, side, side)
    shuffled = tiles[rng.permutation(len(tiles))].reshape(_TILES, _TILES, side, side)
    return np.ascontiguousarray(shuffled.swapaxes(1, 2).reshape(face.shape))


def _crop_photo(photo: NDArray[np.uint8], size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    height, width = photo.shape
    shorter = min(height, width)
    side = shorter * rng.uniform(min(0.9, _MIN_CROP / shorter), 1.0)
    centre = (rng.uniform(side / 2, width - side / 2), rng.uniform(side / 2, height - side / 2))
    middle = (size - 1) / 2
    matrix = similarity(size / side, rng.uniform(-45, 45), centre, (middle, middle))
    return cut(photo, matrix, size)
