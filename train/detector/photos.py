"""Photos with the boxes of their faces, read from annotations.

Legend: P photos, M boxes of a photo. A box is x, y, width, height in px (`train.detector.boxes`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ImageError, first_line
from edge.geometry.box_conventions import from_wider_face
from edge.geometry.boxes import intersection_over_union
from edge.geometry.face_frame import box_of_keypoints
from edge.image import load_image, to_grey
from edge.keypoints import KEYPOINT_NAMES
from train.data.faces import Faces
from train.data.sources import ANNOTATIONS, read_annotations
from train.detector.boxes import from_hand_drawn
from train.errors import DataError

Boxes = NDArray[np.float32]

NO_BOXES: Boxes = np.empty((0, 4), np.float32)
BENCHMARK_INTERVAL = 5  # every fifth photo of a benchmark set is reserved for `benchmarks`
_MIN_SCORE = 0.6  # of another detector's box that counts as a face; lower ones are ignored
_MIN_IOU = 0.4  # intersection over union of two boxes of one face


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo.

    Attributes:
        pixels: uint8 `(H, W)`, grey.
        boxes: float32 `(M, 4)`, its faces.
        ignored: float32 `(I, 4)`, regions that may show a face and are excluded from the loss.
        source: the name of its set.
    """

    pixels: NDArray[np.uint8]
    boxes: Boxes
    ignored: Boxes
    source: str


def read_photos(folder: Path, name: str) -> tuple[list[Photo], list[str]]:
    """Read a folder of photos whose `annotations.jsonl` has the boxes of all faces.

    Each line has either `faces`, objects with a hand-drawn `box`, or the `keypoints` of one face;
    `yunet` is a list of boxes with scores (x, y, width, height, score) of another detector.

    Args:
        folder: of the photos and their annotations.
        name: of the set.

    Returns:
        The photos, and a message for each that cannot be read.

    Raises:
        DataError: the annotations are missing or malformed.
    """
    table = folder / ANNOTATIONS
    try:
        lines = table.read_text(encoding="utf-8-sig").splitlines()
        rows = [json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise DataError(f"{table}: cannot be read ({first_line(error)})") from error
    photos, skipped = [], []
    for number, row in enumerate(rows, start=1):
        try:
            boxes, ignored = _boxes_of(row)
            path = folder / row["image"]
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise DataError(
                f"{table}: line {number}: not a valid annotation ({error!r})"
            ) from error
        try:
            photos.append(Photo(to_grey(load_image(path)), boxes, ignored, name))
        except (ImageError, OSError) as error:
            skipped.append(str(error))
    return photos, skipped


def _boxes_of(row: dict[str, Any]) -> tuple[Boxes, Boxes]:
    """The boxes of an annotation's faces, and the ignored ones."""
    detected = np.array(row.get("yunet") or [], np.float32).reshape(-1, 5)
    detected[:, :4] = from_wider_face(detected[:, :4])
    annotated = _annotated_boxes(row)
    matches = intersection_over_union(annotated, detected[:, :4]) > _MIN_IOU
    # The mean of a hand-drawn and a detected box is closer to the face than either.
    boxes = [(detected[match.argmax(), :4] + box) / 2 if match.any() else box
             for box, match in zip(annotated, matches, strict=True)]  # fmt: skip
    unmatched = detected[~matches.any(axis=0)] if len(annotated) else detected
    # Annotators who drew a box around every face left out unmatched ones on purpose; where only
    # one face of a photo is annotated, the detector provides the others.
    accepted = unmatched[:, 4] >= (np.inf if "faces" in row else _MIN_SCORE)
    return (
        np.concatenate([np.array(boxes, np.float32).reshape(-1, 4), unmatched[accepted, :4]]),
        unmatched[~accepted, :4],
    )


def _annotated_boxes(row: dict[str, Any]) -> Boxes:
    """The annotated boxes `(M, 4)`: hand-drawn ones, or that of the keypoints."""
    if "faces" in row:
        drawn = np.array([face["box"] for face in row["faces"]], np.float32)
        return from_hand_drawn(drawn.reshape(-1, 4))
    points = [row["keypoints"].get(name) or (np.nan, np.nan) for name in KEYPOINT_NAMES]
    box = box_of_keypoints(np.array(points, np.float64))
    return NO_BOXES if box is None else np.asarray(box[None], np.float32)


def read_cut_faces(folder: Path, name: str) -> list[Photo]:
    """Read a folder of images that are cropped to one annotated face each."""
    photos = []
    for row in read_annotations(folder):
        points = np.where(np.isnan(row.teacher), row.keypoints, row.teacher)
        box = box_of_keypoints(points)
        if box is not None:
            photos.append(Photo(to_grey(load_image(row.photo)), box[None], NO_BOXES, name))
    return photos


def from_faces(faces: Faces, name: str) -> list[Photo]:
    """Kaggle's images as photos with one face each; without keypoints there is no box."""
    boxes = [box_of_keypoints(points) for points in faces.keypoints]
    return [
        Photo(image, box[None], NO_BOXES, name)
        for image, box in zip(faces.images, boxes, strict=True)
        if box is not None
    ]
