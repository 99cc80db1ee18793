"""Near-duplicates, and a split that keeps them on one side.

Kaggle's file holds the same photo, or neighbouring frames of one clip, several times; a split by
rows would put copies on both sides and make validation look too good.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_THUMBNAIL = 24  # px; small enough that noise and a pixel's shift do not hide a copy
DUPLICATE_CORRELATION = 0.97  # of thumbnails; by eye, pairs above it show one photo or one clip


def near_duplicates(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Pairs of pictures that show nearly the same.

    Args:
        images: uint8 `(N, S, S)`.

    Returns:
        int64 `(P, 2)`, first index smaller, in order of the first.
    """
    thumbnails = np.stack(
        [
            np.asarray(Image.fromarray(image).resize((_THUMBNAIL, _THUMBNAIL), reducing_gap=None))
            for image in images
        ]
    ).reshape(len(images), -1)
    centred = thumbnails - thumbnails.mean(axis=1, keepdims=True, dtype=np.float32)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True) + 1e-6
    correlation = np.triu(centred @ centred.T, k=1)
    return np.argwhere(correlation > DUPLICATE_CORRELATION)


def duplicate_groups(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The group of each picture, int64 `(N,)`: near-duplicates, and theirs, share one."""
    group = np.arange(len(images))
    for first, second in near_duplicates(images):
        group[group == group[second]] = group[first]
    return group


def split(
    images: NDArray[np.uint8], validation_share: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split rows into training and validation; near-duplicates stay together.

    Args:
        images: uint8 `(N, S, S)`.
        validation_share: wanted share of rows for validation, 0–1.
        rng: decides which groups go where.

    Returns:
        Sorted row indices of training and of validation, together all N.
    """
    group = duplicate_groups(images)
    order = rng.permutation(np.unique(group))
    sizes = np.bincount(group, minlength=len(images))[order]
    chosen = order[np.cumsum(sizes) <= round(validation_share * len(images))]
    held_out = np.isin(group, chosen)
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)
