"""Near-duplicates, and a split that keeps them on one side.

Kaggle's file holds the same photo, or neighbouring frames of one clip, several times; a split by
rows would put copies on both sides and make validation look too good.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_BLOCK = 1024  # rows of the correlation matrix held at once
_THUMBNAIL = 24  # px; small enough that noise and a pixel's shift do not hide a copy
DUPLICATE_CORRELATION = 0.97  # of thumbnails; by eye, pairs above it show one photo or one clip


def near_duplicates(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Pairs of pictures that show nearly the same.

    Args:
        images: uint8 `(N, S, S)`.

    Returns:
        int64 `(P, 2)`, first index smaller, in order of the first.
    """
    thumbnails = _thumbnails(images)
    pairs = []
    for start in range(0, len(images), _BLOCK):
        correlation = thumbnails[start : start + _BLOCK] @ thumbnails.T
        first, second = np.nonzero(correlation > DUPLICATE_CORRELATION)
        later = second > first + start
        pairs.append(np.stack([first[later] + start, second[later]], axis=1))
    return np.concatenate(pairs)


def copies_of(images: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which pictures show nearly the same as one of the others.

    Args:
        images: uint8 `(N, S, S)`.
        others: uint8 `(M, S, S)`.

    Returns:
        bool `(N,)`.
    """
    correlation = _thumbnails(images) @ _thumbnails(others).T
    return np.asarray((correlation > DUPLICATE_CORRELATION).any(axis=1))


def duplicate_groups(
    images: NDArray[np.uint8], groups: NDArray[np.str_] | None = None
) -> NDArray[np.int64]:
    """The group of each picture, int64 `(N,)`.

    Near-duplicates, and theirs, share one; so do all pictures that share a name in `groups`.
    """
    names = np.arange(len(images)) if groups is None else groups
    group = np.unique(names, return_inverse=True)[1]
    for first, second in near_duplicates(images):
        group[group == group[second]] = group[first]
    return np.asarray(group, dtype=np.int64)


def split(
    images: NDArray[np.uint8],
    validation_share: float,
    rng: np.random.Generator,
    groups: NDArray[np.str_] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split rows into training and validation; near-duplicates stay together.

    Args:
        images: uint8 `(N, S, S)`.
        validation_share: wanted share of rows for validation, 0–1.
        rng: decides which groups go where.
        groups: names `(N,)`; rows that share one stay together too.

    Returns:
        Sorted row indices of training and of validation, together all N.
    """
    group = duplicate_groups(images, groups)
    order = rng.permutation(np.unique(group))
    sizes = np.bincount(group, minlength=len(images))[order]
    chosen = order[np.cumsum(sizes) <= round(validation_share * len(images))]
    held_out = np.isin(group, chosen)
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def _thumbnails(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Small copies of the pictures, `(N, 576)`, of mean 0 and length 1."""
    size = (_THUMBNAIL, _THUMBNAIL)
    small = [np.asarray(Image.fromarray(image).resize(size)) for image in images]
    flat = np.stack(small).reshape(len(images), -1)
    centred = flat - flat.mean(axis=1, keepdims=True, dtype=np.float32)
    return np.asarray(centred / (np.linalg.norm(centred, axis=1, keepdims=True) + 1e-6))
