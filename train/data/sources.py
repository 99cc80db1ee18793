"""Sources of training faces: annotated folders of photos and Kaggle's tables.

A folder of photos contains either `annotations.jsonl`, one JSON object per line, or a 300-W `.pts`
file beside each photo, or `.json` files of LabelMe. A file may be of COCO, CVAT or Label Studio
(`train.data.annotation_files`), or the list of a public set (`train.data.face_lists`). A line of
`annotations.jsonl` has the path of its photo (`image`, relative to the folder) and its labels:
`keypoints`, an object from keypoint name to `[x, y]` or null, or `points68`, 68 pairs; optionally
`teacher`, keypoints predicted by another model, and `person`.

Legend: N faces, K keypoints (15).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from edge.errors import ImageError, first_line
from edge.evaluation.annotation_offsets import add_offsets, measure_offsets
from edge.evaluation.metrics import normalised_mean_error
from edge.geometry.keypoint_frame import face_square
from edge.image import load_image, to_grey
from edge.keypoints import KEYPOINT_NAMES
from train.data.annotated_photos import AnnotatedPhoto, annotated, check_names
from train.data.annotation_files import (
    is_annotation_file,
    read_annotation_file,
    read_labelme_folder,
)
from train.data.annotation_schemes import blend, from_68, read_annotators
from train.data.face_lists import is_list, read_list
from train.data.faces import Faces, read_annotated, read_training
from train.data.padded_crops import cut_padded_crop
from train.data.photo_files import list_photos
from train.errors import DataError

Labels = Literal["keypoints", "teacher", "blend"]
LABELS: tuple[Labels, ...] = get_args(Labels)
ANNOTATIONS = "annotations.jsonl"
_MAX_DISAGREEMENT = 0.15  # normalised mean error between two annotations of the same face


@dataclass(frozen=True, slots=True)
class Source:
    """One set of faces.

    Attributes:
        name: of the set.
        path: relative to the data folder: a folder of photos, a file of their annotations, Kaggle's
            `training.csv`, or a table of `ImageId` and keypoints beside Kaggle's `test.csv`; each
            table may be a zip.
        labels: of a folder of photos: `keypoints` (or `points68`); `teacher`; or `blend`, the mean
            of both where they agree, the teacher's elsewhere.
        convert: whether the labels follow the 68-point scheme and are converted to Kaggle's.
        annotators: a key of `train/data/annotators.json`, whose offsets to the common scheme are
            added to the labels; "" adds none.
        complete_rows: of Kaggle's file, the range of rows to use, counting from 1 only the rows
            with all 15 points; the annotators changed between them.
        person: a regular expression whose first group, in the photo's `source`, is the person's
            name; "" if every photo shows another person.
    """

    name: str
    path: str
    labels: Labels = "keypoints"
    convert: bool = False
    annotators: str = ""
    complete_rows: tuple[int, int] | None = None
    person: str = ""


def read_source(
    source: Source, folder: Path, convention: NDArray[np.float64] | None
) -> tuple[Faces, list[str]]:
    """Read one set.

    Args:
        source: the set.
        folder: the data folder.
        convention: offsets `(15, 2)` from the 68-point scheme to Kaggle's
            (`train.data.annotation_schemes`); None does not convert labels.

    Returns:
        Its faces, and a message for each face that was skipped.

    Raises:
        DataError: a file is missing or malformed, or no face remains.
    """
    path = folder / source.path
    if not (path.is_dir() or _is_annotations(path)):
        faces = _select_rows(read_table(path), source)
        faces = replace(faces, keypoints=_add_annotator_offsets(faces.keypoints, source))
        return _with_source(faces, source.name), []
    rows = read_annotations(path, source.person)
    keypoints, skipped = _select_labels(rows, source.labels)
    if source.convert and convention is not None:
        keypoints = add_offsets(keypoints, convention)
    keypoints = _add_annotator_offsets(keypoints, source)
    return _crop_faces(rows, keypoints, source.name, skipped)


def _is_annotations(path: Path) -> bool:
    return path.is_file() and (is_annotation_file(path) or is_list(path))


def read_annotations(folder: str | Path, person: str = "") -> list[AnnotatedPhoto]:
    """Read the annotations of a folder of photos, or a file of annotations of photos.

    Args:
        folder: of photos, or the file.
        person: see `Source`.

    Raises:
        DataError: there are no annotations, or a line is malformed.
    """
    folder = Path(folder)
    if folder.is_file():
        return read_list(folder) if is_list(folder) else read_annotation_file(folder)
    table = folder / ANNOTATIONS
    if not table.is_file():
        return read_labelme_folder(folder) or _read_pts(folder)
    rows = []
    try:
        lines = table.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{table}: not a text in UTF-8 ({error}); save it as UTF-8") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            rows.append(_read_line(line, folder, person, f"{table}: line {number}"))
    if not rows:
        raise DataError(f"{table}: the file is empty")
    return rows


def read_table(path: Path) -> Faces:
    """Read Kaggle's `training.csv`, or a table of keypoints beside `test.csv`; each may be a zip.

    Raises:
        DataError: the file is missing or malformed.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file or folder")
    for name in ("test.zip", "test.csv"):
        images = path.with_name(name)
        if path.name.startswith("test_") and images.is_file():
            return read_annotated(path, images)[0]
    return read_training(path)


def _add_annotator_offsets(keypoints: NDArray[np.float32], source: Source) -> NDArray[np.float32]:
    if not source.annotators:
        return keypoints
    return add_offsets(keypoints, read_annotators(source.annotators))


def _select_rows(faces: Faces, source: Source) -> Faces:
    if source.complete_rows is None:
        return faces
    complete = ~np.isnan(faces.keypoints).any(axis=(1, 2))
    number = np.cumsum(complete)
    first, last = source.complete_rows
    selected = complete & (number >= first) & (number <= last)
    if not selected.any():
        raise DataError(
            f"{source.path}: {complete.sum()} rows have all keypoints; expected {first} or more"
        )
    return faces.take(selected)


def _with_source(faces: Faces, name: str) -> Faces:
    groups = np.array([f"{name} {i}" for i in faces.ids])
    return Faces(faces.images, faces.keypoints, faces.ids, np.full(len(faces), name), groups)


def _read_line(line: str, folder: Path, person: str, where: str) -> AnnotatedPhoto:
    try:
        row = json.loads(line)
        keypoints = _points(row.get("keypoints"))
        if row.get("keypoints") is None and row.get("points68") is not None:
            keypoints = from_68(np.array(row["points68"], np.float32).reshape(1, 68, 2))[0]
        match = re.search(person, row.get("source", row["image"])) if person else None
        name = row.get("person") or (match.group(1) if match else row["image"])
        teacher = _points(row.get("teacher"))
        return AnnotatedPhoto(folder / row["image"], keypoints, teacher, str(name))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise DataError(f"{where}: not a valid annotation ({error!r})") from error


def _points(table: dict[str, Any] | None) -> NDArray[np.float32]:
    check_names(table or ())
    values = [(table or {}).get(name) or (np.nan, np.nan) for name in KEYPOINT_NAMES]
    return np.array(values, np.float32).reshape(len(KEYPOINT_NAMES), 2)


def _read_pts(folder: Path) -> list[AnnotatedPhoto]:
    rows = []
    for photo in list_photos(folder):
        annotation = photo.with_suffix(".pts")
        if annotation.is_file():
            rows.append(annotated(photo, _read_pts_file(annotation), photo.stem))
    if not rows:
        raise DataError(
            f"{folder}: contains neither {ANNOTATIONS} nor a .pts or .json file beside a photo"
        )
    return rows


def _read_pts_file(path: Path) -> NDArray[np.float32]:
    try:
        numbers = path.read_text(encoding="utf-8").partition("{")[2].partition("}")[0]
        points = np.array(numbers.split(), dtype=np.float32).reshape(68, 2)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: expected 68 points between braces ({first_line(error)})"
        ) from error
    return np.asarray(from_68(points[None] - 1)[0])  # 300-W's pixel indices start at 1


def _select_labels(
    rows: list[AnnotatedPhoto], labels: Labels
) -> tuple[NDArray[np.float32], list[str]]:
    """The labels `(N, 15, 2)`, NaN for skipped faces, and a message for each of those."""
    hand = np.stack([row.keypoints for row in rows])
    teacher = np.stack([row.teacher for row in rows])
    if labels == "keypoints":
        return hand, []
    # Annotations that disagree are of different faces, or one of them is of no face.
    same_scheme = add_offsets(teacher, measure_offsets(teacher, hand, robust=True))
    disagree = normalised_mean_error(hand, same_scheme) > _MAX_DISAGREEMENT
    skipped = [f"{rows[i].photo}: its two annotations disagree" for i in np.flatnonzero(disagree)]
    selected = blend(teacher, hand) if labels == "blend" else teacher.copy()
    selected[disagree] = np.nan
    return selected, skipped


def _crop_faces(
    rows: list[AnnotatedPhoto], keypoints: NDArray[np.float32], name: str, skipped: list[str]
) -> tuple[Faces, list[str]]:
    """Padded crops of all faces that have keypoints and whose photo can be read."""
    images, points, kept = [], [], []
    skipped = list(skipped)
    for i, row in enumerate(rows):
        square = face_square(keypoints[i])
        if square is None:
            continue
        try:
            grey = to_grey(load_image(row.photo))
        except (ImageError, OSError) as error:
            skipped.append(str(error))
            continue
        image, moved = cut_padded_crop(grey, keypoints[i], square)
        images.append(image)
        points.append(moved)
        kept.append(i)
    if not kept:
        raise DataError(f"{name}: none of its {len(rows)} faces can be used")
    faces = Faces(
        images=np.stack(images),
        keypoints=np.stack(points),
        ids=np.array(kept, np.int64) + 1,
        sources=np.full(len(kept), name),
        groups=np.array([f"{name} {rows[i].person}" for i in kept]),
    )
    return faces, skipped
