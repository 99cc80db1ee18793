"""Where training faces come from, and how each kind of source is read.

A folder of photos holds either `annotations.jsonl`, one JSON object a line, or a 300-W `.pts` file
beside each photo. A line names its photo (`image`, relative to the folder) and its labels:
`keypoints`, an object from keypoint name to `[x, y]` or null, or `points68`, 68 pairs; optionally
`teacher`, keypoints that another program found, and `person`.

Legend: N faces, K keypoints (15).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ImageError
from edge.evaluation.annotation_offsets import add_offsets, measure_offsets
from edge.evaluation.metrics import normalised_mean_error
from edge.geometry.face_frame import face_square
from edge.image import load_image, to_grey
from edge.keypoints import KEYPOINT_NAMES
from train.data.annotation_schemes import blend, from_68, read_annotators
from train.data.faces import Faces, read_annotated, read_training
from train.data.padded_crops import cut_chip
from train.errors import DataError

LABELS = ("keypoints", "teacher", "blend")
ANNOTATIONS = "annotations.jsonl"
_PHOTOS = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
_ABSURD = 0.15  # of the outer-eye distance: two labellings of one face differ by less


@dataclass(frozen=True, slots=True)
class Source:
    """One set of faces.

    Attributes:
        name: what the set is called.
        path: under the data folder: a folder of photos, Kaggle's `training.csv`, or a table of
            `ImageId` and keypoints beside Kaggle's `test.csv`; each file may be a zip.
        labels: of a folder of photos: `keypoints` (or `points68`); `teacher`; or `blend`, the mean
            of both where they agree, the teacher's elsewhere.
        convert: whether the labels follow the 68-point scheme and are to be moved to Kaggle's.
        annotators: who labelled, a key of `train/annotators.json`: the constants by which their
            labels differ from the network's scheme are added; "" where they do not.
        complete_rows: of Kaggle's file: only the rows that have all 15 points, from this one to
            that, counted among themselves from 1. Later ones were labelled by other people.
        person: a regular expression whose first group, in the photo's `source`, names the person;
            "" where every photo shows someone else.
    """

    name: str
    path: str
    labels: str = "keypoints"
    convert: bool = False
    annotators: str = ""
    complete_rows: tuple[int, int] | None = None
    person: str = ""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A photo and its labels, `(15, 2)` px, NaN where missing."""

    photo: Path
    keypoints: NDArray[np.float32]
    teacher: NDArray[np.float32]
    person: str


def read_source(
    source: Source, folder: Path, convention: NDArray[np.float64] | None
) -> tuple[Faces, list[str]]:
    """Read one set.

    Args:
        source: which, and how.
        folder: the data folder.
        convention: `(15, 2)`, from the 68-point scheme to Kaggle's
            (`train.data.annotation_schemes`); None leaves labels as they are.

    Returns:
        Its faces, and a line for each that had to be left out.

    Raises:
        DataError: a file is missing or broken, or no face is left.
    """
    path = folder / source.path
    if not path.is_dir():
        faces = _choose_rows(read_table(path), source)
        faces = replace(faces, keypoints=_to_one_scheme(faces.keypoints, source))
        return _named(faces, source.name), []
    rows = read_annotations(path, source.person)
    keypoints, left_out = _choose_labels(rows, source.labels)
    if source.convert and convention is not None:
        keypoints = add_offsets(keypoints, convention)
    keypoints = _to_one_scheme(keypoints, source)
    return _cut_all(rows, keypoints, source.name, left_out)


def read_annotations(folder: Path, person: str = "") -> list[Labelled]:
    """Read a folder's labels.

    Args:
        folder: of photos.
        person: see `Source`.

    Raises:
        DataError: there are no annotations, or a line of them is wrong.
    """
    table = folder / ANNOTATIONS
    if not table.is_file():
        return _read_pts(folder)
    rows = []
    with table.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                rows.append(_read_line(line, folder, person, f"{table}: line {number}"))
    if not rows:
        raise DataError(f"{table}: the file is empty")
    return rows


def read_table(path: Path) -> Faces:
    """Kaggle's `training.csv`, or a table of keypoints beside Kaggle's `test.csv`; or zips."""
    if not path.is_file():
        raise DataError(f"{path}: no such file or folder")
    for name in ("test.zip", "test.csv"):
        pictures = path.with_name(name)
        if path.name.startswith("test_") and pictures.is_file():
            return read_annotated(path, pictures)[0]
    return read_training(path)


def _to_one_scheme(keypoints: NDArray[np.float32], source: Source) -> NDArray[np.float32]:
    if not source.annotators:
        return keypoints
    return add_offsets(keypoints, read_annotators(source.annotators))


def _choose_rows(faces: Faces, source: Source) -> Faces:
    if source.complete_rows is None:
        return faces
    complete = ~np.isnan(faces.keypoints).any(axis=(1, 2))
    number = np.cumsum(complete)
    first, last = source.complete_rows
    chosen = complete & (number >= first) & (number <= last)
    if not chosen.any():
        raise DataError(
            f"{source.path}: {complete.sum()} rows have all keypoints; expected {first} or more"
        )
    return faces.take(chosen)


def _named(faces: Faces, name: str) -> Faces:
    groups = np.array([f"{name} {i}" for i in faces.ids])
    return Faces(faces.images, faces.keypoints, faces.ids, np.full(len(faces), name), groups)


def _read_line(line: str, folder: Path, person: str, where: str) -> Labelled:
    try:
        row = json.loads(line)
        keypoints = _points(row.get("keypoints"))
        if row.get("keypoints") is None and row.get("points68") is not None:
            keypoints = from_68(np.array(row["points68"], np.float32).reshape(1, 68, 2))[0]
        found = re.search(person, row.get("source", row["image"])) if person else None
        who = row.get("person") or (found.group(1) if found else row["image"])
        return Labelled(folder / row["image"], keypoints, _points(row.get("teacher")), str(who))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise DataError(f"{where}: not an annotation ({error!r})") from error


def _points(table: dict[str, Any] | None) -> NDArray[np.float32]:
    values = [(table or {}).get(name) or (np.nan, np.nan) for name in KEYPOINT_NAMES]
    return np.array(values, np.float32).reshape(len(KEYPOINT_NAMES), 2)


def _read_pts(folder: Path) -> list[Labelled]:
    photos = sorted(p for p in folder.glob("*") if p.suffix.lower() in _PHOTOS)
    rows = []
    for photo in photos:
        annotation = photo.with_suffix(".pts")
        if annotation.is_file():
            unknown = np.full((len(KEYPOINT_NAMES), 2), np.nan, np.float32)
            rows.append(Labelled(photo, _read_pts_file(annotation), unknown, photo.stem))
    if not rows:
        raise DataError(f"{folder}: holds neither {ANNOTATIONS} nor a .pts file beside a photo")
    return rows


def _read_pts_file(path: Path) -> NDArray[np.float32]:
    try:
        inside = path.read_text(encoding="utf-8").partition("{")[2].partition("}")[0]
        points = np.array(inside.split(), dtype=np.float32).reshape(68, 2)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: expected 68 points between braces ({error})") from error
    return np.asarray(from_68(points[None] - 1)[0])  # 300-W counts pixels from 1


def _choose_labels(rows: list[Labelled], labels: str) -> tuple[NDArray[np.float32], list[str]]:
    hand = np.stack([row.keypoints for row in rows])
    teacher = np.stack([row.teacher for row in rows])
    if labels == "keypoints":
        return hand, []
    # Two labellings that disagree about a face have found different faces, or one has found none.
    same_scheme = add_offsets(teacher, measure_offsets(teacher, hand, robust=True))
    absurd = normalised_mean_error(hand, same_scheme) > _ABSURD
    left_out = [f"{rows[i].photo}: its two labellings disagree" for i in np.flatnonzero(absurd)]
    chosen = blend(teacher, hand) if labels == "blend" else teacher.copy()
    chosen[absurd] = np.nan
    return chosen, left_out


def _cut_all(
    rows: list[Labelled], keypoints: NDArray[np.float32], name: str, left_out: list[str]
) -> tuple[Faces, list[str]]:
    images, points, kept = [], [], []
    for i, row in enumerate(rows):
        square = face_square(keypoints[i])
        if square is None:
            continue
        try:
            grey = to_grey(load_image(row.photo))
        except (ImageError, OSError) as error:
            left_out.append(str(error))
            continue
        chip, moved = cut_chip(grey, keypoints[i], square)
        images.append(chip)
        points.append(moved)
        kept.append(i)
    if not kept:
        raise DataError(f"{name}: no usable face among {len(rows)}")
    groups = np.array([f"{name} {rows[i].person}" for i in kept])
    ids = np.array(kept, np.int64) + 1
    return Faces(
        np.stack(images), np.stack(points), ids, np.full(len(kept), name), groups
    ), left_out
