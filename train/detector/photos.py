"""Photos with the boxes and rolls of their faces, read from annotations.

Legend: M faces of a photo, I ignored regions. A box is x, y, width, height in px, in the
convention of `edge.geometry.face_frame`.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ImageError, first_line
from edge.geometry.box_conventions import from_wider_face, rescale_boxes
from edge.geometry.boxes import intersection_over_union
from edge.geometry.face_frame import box_of_keypoints, roll_deg
from edge.image import load_image, to_grey
from edge.keypoints import KEYPOINT_NAMES
from train.data.negatives import load_photos
from train.data.sources import ANNOTATIONS
from train.errors import DataError
from train.recipes import DetectorRecipe

Boxes = NDArray[np.float32]
Rolls = NDArray[np.float32]

NO_BOXES: Boxes = np.empty((0, 4), np.float32)
NO_ROLLS: Rolls = np.empty(0, np.float32)
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
        rolls: float32 `(M,)`, degrees clockwise as seen, by which each face is rotated in the
            plane; NaN where nobody measured it.
    """

    pixels: NDArray[np.uint8]
    boxes: Boxes
    ignored: Boxes
    source: str
    rolls: Rolls


def photo_without_faces(pixels: NDArray[np.uint8], source: str) -> Photo:
    """A photo that shows no face, grey, uint8 `(H, W)`."""
    return Photo(pixels, NO_BOXES, NO_BOXES, source, NO_ROLLS)


def read_all(recipe: DetectorRecipe, folder: Path) -> tuple[list[Photo], list[str]]:
    """Read the sets of a recipe, without the photos reserved for `benchmarks`.

    Returns:
        The photos, and a message for each that cannot be read.

    Raises:
        DataError: a set is missing or malformed.
    """
    photos: list[Photo] = []
    skipped: list[str] = []
    for name, path in recipe.photos:
        of_set, messages = read_photos(folder / path, name)
        if name in recipe.measured:
            del of_set[BENCHMARK_INTERVAL - 1 :: BENCHMARK_INTERVAL]
        photos += of_set
        skipped += messages
    for name, path in recipe.without_faces:
        photos += read_without_faces(folder / path, name)
    return photos, skipped


def read_photos(folder: Path, name: str) -> tuple[list[Photo], list[str]]:
    """Read a folder of photos whose `annotations.jsonl` has the boxes of all faces.

    Each line has `faces`, objects with either a hand-drawn `box` or a `teacher`'s keypoints, and
    `yunet`, a list of boxes with scores (x, y, width, height, score) of another detector, perhaps
    with five points, of which the first two are the right and the left eye.

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
            boxes, rolls, ignored = _faces_of(row)
            path = folder / row["image"]
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise DataError(
                f"{table}: line {number}: not a valid annotation ({error!r})"
            ) from error
        try:
            photos.append(Photo(to_grey(load_image(path)), boxes, ignored, name, rolls))
        except (ImageError, OSError) as error:
            skipped.append(str(error))
    return photos, skipped


def read_without_faces(folder: Path, name: str) -> list[Photo]:
    """Read four fifths of a folder's images, which show no face (`train.data.negatives`).

    Raises:
        DataError: the folder is missing or has no images.
    """
    return [photo_without_faces(pixels, name) for pixels in load_photos(folder)]


def _faces_of(row: dict[str, Any]) -> tuple[Boxes, Rolls, Boxes]:
    """The boxes and rolls of an annotation's faces, and the regions to be ignored."""
    detected, detected_rolls, scores = _detected(row)
    is_hand_drawn = any("box" in face for face in row["faces"])
    boxes, rolls = _hand_drawn(row) if is_hand_drawn else _taught(row)
    matches = intersection_over_union(boxes, detected) > _MIN_IOU
    if is_hand_drawn:
        # The mean of a hand-drawn and a detected box is closer to the face than either.
        best = matches.argmax(axis=1) if len(detected) else np.zeros(len(boxes), int)
        matched = matches.any(axis=1)
        boxes[matched] = (boxes[matched] + detected[best[matched]]) / 2
    # Annotators who drew a box around every face left out unmatched ones on purpose; a teacher did
    # not see every face, and the detector provides the others.
    unmatched = ~matches.any(axis=0)
    accepted = unmatched & (scores >= (np.inf if is_hand_drawn else _MIN_SCORE))
    return (
        np.concatenate([boxes, detected[accepted]]),
        np.concatenate([rolls, detected_rolls[accepted]]),
        detected[unmatched & ~accepted],
    )


def _detected(row: dict[str, Any]) -> tuple[Boxes, Rolls, NDArray[np.float32]]:
    """Boxes, rolls and scores of the other detector."""
    found = row.get("yunet") or []
    values = np.array([face[:5] for face in found], np.float32).reshape(-1, 5)
    rolls = [_roll_of_eyes(face[5]) if len(face) > 5 else np.nan for face in found]
    return from_wider_face(values[:, :4]), np.array(rolls, np.float32), values[:, 4]


def _roll_of_eyes(points: list[list[float]]) -> float:
    """The direction from the right to the left eye, degrees."""
    (right_x, right_y), (left_x, left_y) = points[:2]
    return math.degrees(math.atan2(left_y - right_y, left_x - right_x))


def from_hand_drawn(boxes: Boxes) -> Boxes:
    """Convert hand-drawn boxes `(M, 4)` to the package's convention (cf. `from_wider_face`)."""
    return rescale_boxes(boxes, width=0.98, height=1.055, down=-0.062)


def _hand_drawn(row: dict[str, Any]) -> tuple[Boxes, Rolls]:
    drawn = np.array([face["box"] for face in row["faces"]], np.float32).reshape(-1, 4)
    return from_hand_drawn(drawn), np.full(len(drawn), np.nan, np.float32)


def _taught(row: dict[str, Any]) -> tuple[Boxes, Rolls]:
    """Boxes and rolls of the faces with a teacher's keypoints."""
    boxes, rolls = [], []
    for face in row["faces"]:
        labels = face["teacher"]
        points = np.array(
            [labels.get(name) or (np.nan, np.nan) for name in KEYPOINT_NAMES], np.float64
        )
        box = box_of_keypoints(points)
        if box is not None:
            boxes.append(box)
            rolls.append(roll_deg(points))
    return np.array(boxes, np.float32).reshape(-1, 4), np.array(rolls, np.float32)
