"""Reading Kaggle's files: `training.csv`, `test.csv` and tables of keypoints, plain or zipped.

Legend: N faces, K keypoints, S side of a picture (96).
"""

from __future__ import annotations

import hashlib
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from edge.keypoints import KEYPOINT_NAMES
from train.errors import DataError

SIDE = 96  # px, of Kaggle's pictures
COLUMNS = tuple(f"{name}_{axis}" for name in KEYPOINT_NAMES for axis in "xy")
_IMAGE = "Image"


@dataclass(frozen=True, slots=True)
class Faces:
    """Faces with their keypoints.

    Attributes:
        images: uint8 `(N, S, S)`, grey. The network's crop is the central 96×96 px; what lies
            around it (nothing, where S is 96) is there to be turned or shifted into the crop.
        keypoints: float32 `(N, 15, 2)`, px of the picture, NaN where a point is not labelled.
        ids: int64 `(N,)`, the row (from 1) of the training file, the ImageId of a test file.
        sources: `(N,)`, the name of the set each face is from.
        groups: `(N,)`, who or what is shown: faces of one group stay on one side of a split.
    """

    images: NDArray[np.uint8]
    keypoints: NDArray[np.float32]
    ids: NDArray[np.int64]
    sources: NDArray[np.str_]
    groups: NDArray[np.str_]

    def __len__(self) -> int:
        """The number of faces."""
        return len(self.images)

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Faces:
        """The faces at `rows` (indices or a mask)."""
        return Faces(*(getattr(self, field.name)[rows] for field in fields(self)))

    def crops(self) -> Faces:
        """The same faces without what lies around the central 96×96 px, as views."""
        margin = (self.images.shape[1] - SIDE) // 2
        inner = slice(margin, margin + SIDE)
        keypoints = self.keypoints - np.float32(margin)
        return replace(self, images=self.images[:, inner, inner], keypoints=keypoints)


def join(parts: Sequence[Faces]) -> Faces:
    """All faces of several sets, in order; smaller pictures grow a border of repeated pixels."""
    side = max(part.images.shape[1] for part in parts)
    wide = [_widen(part, side) for part in parts]
    columns = ([getattr(part, field.name) for part in wide] for field in fields(Faces))
    return Faces(*(np.concatenate(column) for column in columns))


def save_faces(faces: Faces, path: Path) -> None:
    """Write faces to an `.npz` file, whole or not at all."""
    part = path.with_name(f"part-{path.name}")
    with part.open("wb") as file:
        np.savez_compressed(file, **{f.name: getattr(faces, f.name) for f in fields(faces)})
    part.replace(path)


def read_faces(path: str | Path) -> Faces:
    """Read training faces: prepared ones (`.npz`), Kaggle's `training.csv`, or its zip.

    Raises:
        DataError: as `load_faces` and `read_training`.
    """
    return load_faces(path) if Path(path).suffix == ".npz" else read_training(path)


def load_faces(path: str | Path) -> Faces:
    """Read what `save_faces` wrote.

    Raises:
        DataError: the file is missing, or is no file of faces.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Faces(**{field.name: arrays[field.name] for field in fields(Faces)})
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path}: no file of prepared faces ({error}); make one with python -m train.prepare"
        ) from error


def _widen(faces: Faces, side: int) -> Faces:
    margin = (side - faces.images.shape[1]) // 2
    around = ((0, 0), (margin, margin), (margin, margin))
    images = np.pad(faces.images, around, mode="edge")
    return replace(faces, images=images, keypoints=faces.keypoints + np.float32(margin))


def read_training(path: str | Path) -> Faces:
    """Read Kaggle's `training.csv`, or the zip it comes in.

    Columns may stand in any order; others are ignored. An empty cell is a missing label.

    Args:
        path: `.csv`, or `.zip` with one `.csv` in it.

    Returns:
        All rows of the file, in its order.

    Raises:
        DataError: the file is missing, empty or has no labelled row; a column is missing; a cell is
            not a number; a picture has the wrong number of pixels or a value outside 0–255.
    """
    path = Path(path)
    table = _read_table(path, (*COLUMNS, _IMAGE))
    keypoints = _keypoints(table, path)
    if np.isnan(keypoints).all():
        raise DataError(f"{path}: no labelled row: all {len(table)} rows lack every keypoint")
    return _kaggle_faces(_images(table, path), keypoints, np.arange(1, len(table) + 1), "kaggle")


def read_annotated(annotated: str | Path, images: str | Path) -> tuple[Faces, NDArray[np.int64]]:
    """Read keypoints of test pictures and, from Kaggle's `test.csv`, the pictures themselves.

    Args:
        annotated: a table with `ImageId`, the 30 keypoint columns and, optionally, `asked`: how
            many values Kaggle asks for that picture (more than 8: the 15-point scheme).
        images: Kaggle's `test.csv`, or the zip it comes in.

    Returns:
        The annotated faces, and `asked`, int64 `(N,)` (30 where the table has no such column).

    Raises:
        DataError: as `read_training`; or an ImageId has no picture.
    """
    annotated, images = Path(annotated), Path(images)
    table = _read_table(annotated, ("ImageId", *COLUMNS))
    ids = _numbers(table, "ImageId", annotated).astype(np.int64)
    asked = _numbers(table, "asked", annotated) if "asked" in table else np.full(len(ids), 30.0)
    pictures = _read_table(images, ("ImageId", _IMAGE))
    row_of = {int(i): row for row, i in enumerate(_numbers(pictures, "ImageId", images))}
    missing = [int(i) for i in ids if int(i) not in row_of]
    if missing:
        raise DataError(f"{annotated}: ImageId {missing[0]} has no picture in {images}")
    rows = pictures.iloc[[row_of[int(i)] for i in ids]]
    name = annotated.stem.removeprefix("test_")
    faces = _kaggle_faces(_images(rows, images), _keypoints(table, annotated), ids, name)
    return faces, asked.astype(np.int64)


def _kaggle_faces(
    images: NDArray[np.uint8], keypoints: NDArray[np.float32], ids: NDArray[np.int64], source: str
) -> Faces:
    # Kaggle names nobody; `train.data.split` finds the copies among its pictures.
    groups = np.array([f"{source} {i}" for i in ids])
    return Faces(images, keypoints, ids, np.full(len(ids), source), groups)


def hash_file(path: str | Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal digits."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _read_table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    if not path.is_file():
        raise DataError(f"{path}: no such file; expected a .csv or a .zip with one .csv in it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # a row with too many cells
            table = pd.read_csv(path, dtype=str, keep_default_na=False, index_col=False).fillna("")
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{path}: the file is empty") from error
    except (ValueError, zipfile.BadZipFile, pd.errors.ParserWarning) as error:
        # ParserError and UnicodeDecodeError are ValueErrors, as is a zip with several files in it.
        reason = str(error).strip().splitlines()[0]
        raise DataError(f"{path}: cannot be read as a table ({reason})") from error
    missing = [column for column in columns if column not in table]
    if missing:
        raise DataError(
            f"{path}: column {missing[0]!r} is missing ({len(missing)} of the expected "
            f"{len(columns)} are); found {len(table.columns)} columns"
        )
    if table.empty:
        raise DataError(f"{path}: there is a header but no row")
    return table


def _numbers(table: pd.DataFrame, column: str, path: Path) -> NDArray[np.float64]:
    text = table[column].str.strip()
    numbers = pd.to_numeric(text.where(text != "", "nan"), errors="coerce").to_numpy(np.float64)
    bad = np.flatnonzero(~np.isfinite(numbers) & ~text.str.lower().isin(["", "nan"]).to_numpy())
    if bad.size:
        raise DataError(
            f"{path}: row {bad[0] + 1}, column {column!r}: expected a number or nothing, "
            f"found {text.iloc[bad[0]][:40]!r}"
        )
    return numbers


def _keypoints(table: pd.DataFrame, path: Path) -> NDArray[np.float32]:
    values = np.stack([_numbers(table, column, path) for column in COLUMNS], axis=1)
    points = values.astype(np.float32).reshape(len(table), len(KEYPOINT_NAMES), 2)  # (N, K, 2)
    half = np.isnan(points).any(axis=2) & ~np.isnan(points).all(axis=2)
    points[half] = np.nan  # one coordinate alone is no point
    return points


def _images(table: pd.DataFrame, path: Path) -> NDArray[np.uint8]:
    images = np.empty((len(table), SIDE, SIDE), dtype=np.uint8)
    rows = table.index.to_numpy(np.int64) + 1  # as the file counts them, from 1
    for position, (row, text) in enumerate(zip(rows, table[_IMAGE], strict=True)):
        images[position] = _pixels(text, f"{path}: row {row}, column 'Image'")
    return images


def _pixels(text: str, where: str) -> NDArray[np.uint8]:
    with warnings.catch_warnings():
        # numpy warns, rather than raises, where the text stops being numbers.
        warnings.simplefilter("error", DeprecationWarning)
        try:
            values = np.fromstring(text, dtype=np.int64, sep=" ")
        except (DeprecationWarning, ValueError) as error:
            bad = next((word for word in text.split() if not word.isdigit()), text[:20])
            raise DataError(f"{where}: expected whole numbers, found {bad[:40]!r}") from error
    if values.size != SIDE * SIDE:
        raise DataError(
            f"{where}: expected {SIDE * SIDE} pixels ({SIDE}×{SIDE}), found {values.size}"
        )
    if values.min() < 0 or values.max() > 255:
        bad_value = values[(values < 0) | (values > 255)][0]
        raise DataError(f"{where}: expected values from 0 to 255, found {bad_value}")
    return values.astype(np.uint8).reshape(SIDE, SIDE)
