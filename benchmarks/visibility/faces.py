"""Faces that the visibility network was not trained on, and photos of masks.

Legend: K keypoints (15).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets.photos import Photo
from edge.image import Grey, load_grey
from edge.keypoints import KEYPOINT_NAMES

_HELD_OUT = 14  # by the hash of its name, one photo or person in 14 is not trained on
_RESERVED = 5  # every fifth photo of facemask/ and no_face/ is not trained on
_MIN_MASKED_PX = 24.0  # shorter side of a box
_LIPS = ("mouth_center_top_lip", "mouth_center_bottom_lip")
_CORNERS = ("mouth_left_corner", "mouth_right_corner")
# Keypoints that the labels of facemask/ say something of: hidden, or seen.
MASKED = ("nose_tip", *_CORNERS, *_LIPS)
UNMASKED = ("nose_tip", *_LIPS)


@dataclass(frozen=True, slots=True)
class LabelledBox:
    """A face with or without a mask.

    Attributes:
        grey: uint8 `(H, W)`, the photo.
        box: x, y, width, height, px.
        is_masked: whether it has a mask over nose and mouth, or none.
    """

    grey: Grey
    box: NDArray[np.float32]
    is_masked: bool


def read_held_out(folder: Path) -> list[Photo]:
    """The held-out photos of `permissive/` with one face.

    Raises:
        EdgeError: a photo cannot be read.
        OSError: the annotations cannot be opened.
        KeyError, ValueError: an annotation lacks a value.
    """
    photos = []
    for row in _rows(folder):
        if len(row["faces"]) == 1 and is_held_out(group_of(row)):
            points = [row["faces"][0]["teacher"][name] for name in KEYPOINT_NAMES]
            photo = Photo(load_grey(folder / row["image"]), np.array(points, np.float32))
            photos.append(photo)
    return photos


def group_of(row: dict[str, Any]) -> str:
    """The name of the photo or person of an annotation, as the training splits them."""
    source = str(row["source"])
    stem = Path(source.rsplit(":", 1)[-1]).stem
    return f"{row['set']} {stem if row['set'].startswith('us_congress') else source}"


def is_held_out(group: str) -> bool:
    """Whether a photo or person is not trained on."""
    return hashlib.sha256(group.encode()).digest()[0] % _HELD_OUT == 0


def read_others(folder: Path) -> list[Grey]:
    """The photos of `no_face/` that are not trained on, uint8 `(H, W)` each."""
    paths = sorted(folder.glob("*.jpg"))
    return [load_grey(path) for path in paths[_RESERVED - 1 :: _RESERVED]]


def read_masks(folder: Path) -> Iterator[LabelledBox]:
    """Faces of `facemask/` that are not trained on; raises as `read_held_out`."""
    for row in _rows(folder)[_RESERVED - 1 :: _RESERVED]:
        grey = load_grey(folder / row["image"])
        for face in row["faces"]:
            is_known = face["label"] in ("with_mask", "without_mask")
            if is_known and min(face["box"][2:]) >= _MIN_MASKED_PX:
                box = np.array(face["box"], np.float32)
                yield LabelledBox(grey, box, face["label"] == "with_mask")


def _rows(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "annotations.jsonl").read_text(encoding="utf-8-sig")
    return [json.loads(line) for line in text.splitlines()]
