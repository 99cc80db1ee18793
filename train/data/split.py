"""Near-duplicates, and a split into training and validation that does not separate them.

Kaggle's file contains the same photo, or neighbouring frames of a video, several times; with a
split by rows copies would be on both sides, and the validation error would be too low.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_BLOCK = 1024  # rows of the correlation matrix computed at once, to limit memory
_THUMBNAIL = 24  # px; small enough to be insensitive to noise and to a shift by a pixel
DUPLICATE_CORRELATION = 0.97  # of thumbnails; on inspection, pairs above it show one photo or video


def near_duplicates(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Find pairs of near-duplicates.

    Args:
        images: uint8 `(N, S, S)`.

    Returns:
        Index pairs, int64 `(P, 2)`, the first smaller than the second, sorted by the first.
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
    """Which images are near-duplicates of one of the others.

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
    """The group of each image, int64 `(N,)`.

    Groups are the connected components of near-duplicates and of equal names in `groups`.
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
    """Split rows into training and validation without separating near-duplicates.

    Args:
        images: uint8 `(N, S, S)`.
        validation_share: maximum share of the rows for validation, 0–1.
        rng: random generator.
        groups: names `(N,)`; rows with equal names are not separated either.

    Returns:
        Sorted indices of the training and of the validation rows, N in all.
    """
    group = duplicate_groups(images, groups)
    order = rng.permutation(np.unique(group))
    sizes = np.bincount(group, minlength=len(images))[order]
    chosen = order[np.cumsum(sizes) <= round(validation_share * len(images))]
    held_out = np.isin(group, chosen)
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def _thumbnails(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Thumbnails `(N, 576)` of zero mean and unit norm."""
    size = (_THUMBNAIL, _THUMBNAIL)
    thumbnails = [np.asarray(Image.fromarray(image).resize(size)) for image in images]
    flat = np.stack(thumbnails).reshape(len(images), -1)
    centred = flat - flat.mean(axis=1, keepdims=True, dtype=np.float32)
    return np.asarray(centred / (np.linalg.norm(centred, axis=1, keepdims=True) + 1e-6))
