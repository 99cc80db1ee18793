"""A photo with the keypoints of a face in it, as all readers of annotations give it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.keypoints import KEYPOINT_NAMES

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class AnnotatedPhoto:
    """A photo and its annotations.

    Attributes:
        photo: path, or the image itself, uint8 `(H, W, 3)` RGB or `(H, W)`.
        keypoints: float32 `(15, 2)` px, NaN where missing.
        teacher: likewise, predicted by another model.
        person: a name, or the name of the photo.
    """

    photo: Path | NDArray[np.uint8]
    keypoints: NDArray[np.float32]
    teacher: NDArray[np.float32]
    person: str


def annotated(
    photo: Path | NDArray[np.uint8], keypoints: NDArray[np.floating], person: str
) -> AnnotatedPhoto:
    """A photo with keypoints `(15, 2)` and without those of another model."""
    missing = np.full((len(KEYPOINT_NAMES), 2), np.nan, np.float32)
    return AnnotatedPhoto(photo, np.asarray(keypoints, np.float32), missing, person)


def points_by_name(points: Mapping[str, Point]) -> NDArray[np.float32]:
    """Named points `(x, y)` as `(15, 2)`, NaN where one is missing.

    Raises:
        ValueError: no keypoint has one of the names; else a misspelt point would count as missing.
    """
    check_names(points)
    values = [points.get(name, (np.nan, np.nan)) for name in KEYPOINT_NAMES]
    return np.array(values, np.float32).reshape(len(KEYPOINT_NAMES), 2)


def check_names(names: Iterable[str]) -> None:
    """Raise ValueError if one of the names is no keypoint's."""
    if unknown := set(names) - set(KEYPOINT_NAMES):
        raise ValueError(f"no keypoint has the name {min(unknown)!r}")
