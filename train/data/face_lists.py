"""The lists of public sets: WFLW's text, COFW's MATLAB files and AFLW's database.

The sets count points from the left of the picture, which is the subject's right.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from edge.extras import require
from train.data.annotated_photos import AnnotatedPhoto, Point, annotated, points_by_name
from train.data.annotation_schemes import from_count
from train.errors import DataError

_WFLW_POINTS = 98
_WFLW_COLUMNS = 2 * _WFLW_POINTS + 4 + 6 + 1  # points, box, attributes, name
_COFW_POINTS = 29
_LEVELS = 3  # folders above a list in which the photos are looked for
# AFLW's features, by their number, that are keypoints of ours.
_AFLW = {
    1: "right_eyebrow_outer_end",
    3: "right_eyebrow_inner_end",
    4: "left_eyebrow_inner_end",
    6: "left_eyebrow_outer_end",
    7: "right_eye_outer_corner",
    8: "right_eye_center",
    9: "right_eye_inner_corner",
    10: "left_eye_inner_corner",
    11: "left_eye_center",
    12: "left_eye_outer_corner",
    15: "nose_tip",
    18: "mouth_right_corner",
    20: "mouth_left_corner",
}
_AFLW_QUERY = """
    SELECT i.filepath, c.face_id, c.feature_id, c.x, c.y
    FROM Faces f JOIN FaceImages i ON i.file_id = f.file_id
    JOIN FeatureCoords c ON c.face_id = f.face_id ORDER BY c.face_id, c.feature_id
"""


def read_list(path: Path) -> list[AnnotatedPhoto]:
    """Read a list: WFLW's `.txt`, COFW's `.mat` (of version 7.3) or AFLW's `.sqlite`.

    Raises:
        DataError: it is malformed or has no face.
        MissingExtra: COFW's files need h5py, which is not installed.
    """
    try:
        rows = _READERS[path.suffix.lower()](path)
    except (OSError, ValueError, KeyError, TypeError, IndexError, sqlite3.Error) as error:
        raise DataError(f"{path}: not a list of WFLW, COFW or AFLW ({error!r})") from error
    if not rows:
        raise DataError(f"{path}: contains no annotated face")
    return rows


def is_list(path: Path) -> bool:
    """Whether `read_list` reads files of this name."""
    return path.suffix.lower() in _READERS


def _read_wflw(path: Path) -> list[AnnotatedPhoto]:
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        words = line.split(maxsplit=_WFLW_COLUMNS - 1)
        if not words:
            continue
        if len(words) != _WFLW_COLUMNS:
            raise ValueError(f"line {number}: {len(words)} of {_WFLW_COLUMNS} columns")
        points = np.array(words[: 2 * _WFLW_POINTS], np.float64).reshape(-1, 2)
        photo = _find(path.parent, "WFLW_images", words[-1])
        rows.append(annotated(photo, from_count(points), words[-1]))
    return rows


def _read_cofw(path: Path) -> list[AnnotatedPhoto]:
    h5py = require("h5py", "train", "reading COFW")
    rows = []
    with h5py.File(path) as file:
        suffix = "Tr" if "phisTr" in file else "T"
        labels = np.asarray(file[f"phis{suffix}"], np.float64)  # (3 · 29, N): x, y, occluded
        references = np.asarray(file[f"Is{suffix}"]).reshape(-1)
        for number, (reference, column) in enumerate(zip(references, labels.T, strict=True)):
            x, y, _ = column.reshape(3, _COFW_POINTS)
            points = np.stack([x, y], axis=1) - 1  # MATLAB counts from 1
            image = np.ascontiguousarray(np.asarray(file[reference], np.uint8).T)
            rows.append(annotated(image, from_count(points), f"{path.stem} {number}"))
    return rows


def _read_aflw(path: Path) -> list[AnnotatedPhoto]:
    faces: dict[tuple[str, int], dict[str, Point]] = defaultdict(dict)
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        for photo, face, feature, x, y in database.execute(_AFLW_QUERY):
            if feature in _AFLW:
                faces[photo, face][_AFLW[feature]] = (x, y)
    return [
        annotated(_find(path.parent, "flickr", photo), points_by_name(points), photo)
        for (photo, _), points in faces.items()
    ]


def _find(folder: Path, subfolder: str, name: str) -> Path:
    """A photo of a list: in its folder or a subfolder, here or in the folders above."""
    folders = [folder, *folder.resolve().parents[:_LEVELS]]
    paths = [
        base / part / name for base in folders for part in ("", subfolder, f"data/{subfolder}")
    ]
    return next((path for path in paths if path.is_file()), folder / name)


_READERS: dict[str, Callable[[Any], list[AnnotatedPhoto]]] = {
    ".txt": _read_wflw,
    ".mat": _read_cofw,
    ".sqlite": _read_aflw,
}
