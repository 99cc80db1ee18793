"""Photos with hand-annotated boxes of all their faces.

Legend: M boxes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.image import Grey, load_image, to_grey


@dataclass(frozen=True, slots=True)
class AnnotatedPhoto:
    """A photo with a box for every face.

    Attributes:
        grey: uint8 `(H, W)`.
        boxes: float32 `(M, 4)`: x, y, width, height, px.
    """

    grey: Grey
    boxes: NDArray[np.float32]


def read_annotated_photos(folder: Path) -> list[AnnotatedPhoto]:
    """Read a folder of photos whose `annotations.jsonl` has a box for every face.

    Raises:
        EdgeError: a photo cannot be read.
        OSError: the annotations cannot be opened.
        KeyError, ValueError: a line is not an object with `image` and `faces`.
    """
    photos = []
    for line in (folder / "annotations.jsonl").read_text(encoding="utf-8-sig").splitlines():
        record = json.loads(line)
        boxes = np.array([face["box"] for face in record["faces"]], np.float32).reshape(-1, 4)
        photos.append(AnnotatedPhoto(to_grey(load_image(folder / record["image"])), boxes))
    return photos
