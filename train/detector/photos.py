"""Photos with the boxes of their faces: how they are read, and the one file they are kept in.

Legend: P photos, M boxes of a photo. A box is x, y, width, height in px (`train.detector.boxes`).
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ImageError
from edge.geometry.box_conventions import from_wider_face
from edge.geometry.boxes import intersection_over_union
from edge.geometry.face_frame import box_of_keypoints
from edge.image import load_image, to_grey
from edge.keypoints import KEYPOINT_NAMES
from train.data.faces import Faces
from train.data.sources import ANNOTATIONS, read_annotations
from train.detector.boxes import from_hand
from train.errors import DataError

Boxes = NDArray[np.float32]

_SURE = 0.6  # score of another detector from which on its box is taken for a face
_SAME = 0.4  # intersection over union of two boxes of one face
HELD_BACK = 5  # every fifth photo of a measured set is left for that


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo.

    Attributes:
        pixels: uint8 `(H, W)`, grey.
        boxes: float32 `(M, 4)`, its faces.
        unsure: float32 `(U, 4)`, where there may be a face, or one too poor to learn from.
        source: the name of its set.
    """

    pixels: NDArray[np.uint8]
    boxes: Boxes
    unsure: Boxes
    source: str


def read_photos(folder: Path, name: str) -> tuple[list[Photo], list[str]]:
    """Read a folder of photos whose `annotations.jsonl` says where all faces are.

    A line has `faces` (objects with a `box`) drawn by hand, or `keypoints` of one face, and boxes
    of all faces by another detector with their scores, `yunet`.

    Returns:
        The photos, and a line for each that had to be left out.

    Raises:
        DataError: the annotations are missing or wrong.
    """
    table = folder / ANNOTATIONS
    try:
        lines = table.read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise DataError(f"{table}: cannot be read ({error})") from error
    photos, left_out = [], []
    for number, row in enumerate(rows, start=1):
        try:
            boxes, unsure = _boxes_of(row)
            path = folder / row["image"]
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise DataError(f"{table}: line {number}: not an annotation ({error!r})") from error
        try:
            photos.append(Photo(to_grey(load_image(path)), boxes, unsure, name))
        except (ImageError, OSError) as error:
            left_out.append(str(error))
    return photos, left_out


def _boxes_of(row: dict[str, Any]) -> tuple[Boxes, Boxes]:
    found = np.array(row.get("yunet") or [], np.float32).reshape(-1, 5)
    found[:, :4] = from_wider_face(found[:, :4])
    by_hand = [face["box"] for face in row["faces"]] if "faces" in row else _labelled(row)
    hand = np.array(by_hand, np.float32).reshape(-1, 4)
    if "faces" in row:
        hand = from_hand(hand)
    same = intersection_over_union(hand, found[:, :4]) > _SAME
    # Where both found a face, the mean of both is nearer to it than either.
    boxes = [(found[match.argmax(), :4] + box) / 2 if match.any() else box
             for box, match in zip(hand, same, strict=True)]  # fmt: skip
    others = found[~same.any(axis=0)] if len(hand) else found
    # People who drew boxes around every face left some out for a reason; where only one face of a
    # photo was labelled, the others are the detector's.
    sure = others[:, 4] >= (np.inf if "faces" in row else _SURE)
    return (
        np.concatenate([np.array(boxes, np.float32).reshape(-1, 4), others[sure, :4]]),
        others[~sure, :4],
    )


def _labelled(row: dict[str, Any]) -> list[Boxes]:
    points = [row["keypoints"].get(name) or (np.nan, np.nan) for name in KEYPOINT_NAMES]
    box = box_of_keypoints(np.array(points, np.float64))
    return [] if box is None else [box]


def read_cut_faces(folder: Path, name: str) -> list[Photo]:
    """Read a folder of pictures that hold little more than one labelled face each."""
    photos = []
    for row in read_annotations(folder):
        points = np.where(np.isnan(row.teacher), row.keypoints, row.teacher)
        box = box_of_keypoints(points)
        if box is not None:
            grey = to_grey(load_image(row.photo))
            photos.append(Photo(grey, box[None], np.empty((0, 4), np.float32), name))
    return photos


def from_faces(faces: Faces, name: str) -> list[Photo]:
    """Kaggle's pictures, each with its one face."""
    none = np.empty((0, 4), np.float32)
    boxes = [box_of_keypoints(points) for points in faces.keypoints]
    return [
        Photo(image, box[None], none, name)
        for image, box in zip(faces.images, boxes, strict=True)
        if box is not None
    ]


def save_photos(photos: list[Photo], path: Path) -> None:
    """Write photos to an `.npz` file, whole or not at all."""
    part = path.with_name(f"part-{path.name}")
    arrays: dict[str, Any] = {
        "pixels": np.concatenate([photo.pixels.ravel() for photo in photos]),
        "shapes": np.array([photo.pixels.shape for photo in photos], np.int64),
        "sources": np.array([photo.source for photo in photos]),
    }
    for kind in ("boxes", "unsure"):
        lists = [getattr(photo, kind) for photo in photos]
        arrays[kind] = np.concatenate(lists)
        arrays[f"{kind}_counts"] = np.array([len(boxes) for boxes in lists], np.int64)
    with part.open("wb") as file:
        np.savez(file, **arrays)
    part.replace(path)


def load_photos_with_boxes(path: str | Path) -> list[Photo]:
    """Read what `save_photos` wrote.

    Raises:
        DataError: the file is missing, or is no file of photos.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            shapes = arrays["shapes"]
            ends = np.cumsum(shapes.prod(axis=1))[:-1]
            pixels = np.split(arrays["pixels"], ends)
            boxes, unsure = (
                np.split(arrays[kind], np.cumsum(arrays[f"{kind}_counts"])[:-1])
                for kind in ("boxes", "unsure")
            )
            sources = arrays["sources"].tolist()
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path}: no file of photos with boxes ({error}); make one with "
            "python -m train.prepare --recipe face"
        ) from error
    rows = zip(pixels, shapes, boxes, unsure, sources, strict=True)
    return [Photo(p.reshape(s), b, u, str(n)) for p, s, b, u, n in rows]
