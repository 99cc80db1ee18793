"""Faces with keypoints: Kaggle's CSV files, plain or zipped, and the prepared `.npz` file.

Legend: N faces, K keypoints, S side of an image (96 px unless padded).
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

from edge.errors import first_line
from edge.files import write_atomically
from edge.formats.tables import open_table
from edge.keypoints import KEYPOINT_NAMES
from train.errors import DataError

SIDE = 96  # px, of Kaggle's images
COLUMNS = tuple(f"{name}_{axis}" for name in KEYPOINT_NAMES for axis in "xy")
_IMAGE = "Image"


@dataclass(frozen=True, slots=True)
class Faces:
    """Faces with their keypoints.

    Attributes:
        images: uint8 `(N, S, S)`, grey. The network's crop is the central 96×96 px; the margin
            around it, if any, provides context for rotated and shifted crops.
        keypoints: float32 `(N, 15, 2)`, px of the image, NaN where a point is not labelled.
        ids: int64 `(N,)`, the row (from 1) in the training file or the ImageId in a test file.
        sources: `(N,)`, the name of the set of each face.
        groups: `(N,)`, the person or photo; a split does not separate faces of one group.
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
        """The faces at `rows`, indices or a mask."""
        return Faces(*(getattr(self, field.name)[rows] for field in fields(self)))

    def crops(self) -> Faces:
        """The same faces cropped to the central 96×96 px; images are views."""
        margin = (self.images.shape[1] - SIDE) // 2
        inner = slice(margin, margin + SIDE)
        keypoints = self.keypoints - np.float32(margin)
        return replace(self, images=self.images[:, inner, inner], keypoints=keypoints)


def join(parts: Sequence[Faces]) -> Faces:
    """Concatenate sets; smaller images are padded to the largest by replicating their border."""
    side = max(part.images.shape[1] for part in parts)
    padded = [_pad(part, side) for part in parts]
    columns = ([getattr(part, field.name) for part in padded] for field in fields(Faces))
    return Faces(*(np.concatenate(column) for column in columns))


def save_faces(faces: Faces, path: Path) -> None:
    """Write faces to an `.npz` file atomically."""
    arrays = {field.name: getattr(faces, field.name) for field in fields(faces)}
    with write_atomically(path) as part:
        np.savez_compressed(part, **arrays)


def read_faces(path: str | Path) -> Faces:
    """Read training faces: prepared ones (`.npz`), Kaggle's `training.csv`, or its zip.

    Raises:
        DataError: as `load_faces` and `read_training`.
    """
    return load_faces(path) if Path(path).suffix == ".npz" else read_training(path)


def load_faces(path: str | Path) -> Faces:
    """Read a file written by `save_faces`.

    Raises:
        DataError: the file is missing or has another format.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Faces(**{field.name: arrays[field.name] for field in fields(Faces)})
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path}: not a file of prepared faces ({first_line(error)}); create one with "
            "python -m train.prepare"
        ) from error


def _pad(faces: Faces, side: int) -> Faces:
    margin = (side - faces.images.shape[1]) // 2
    widths = ((0, 0), (margin, margin), (margin, margin))
    images = np.pad(faces.images, widths, mode="edge")
    return replace(faces, images=images, keypoints=faces.keypoints + np.float32(margin))


def read_training(path: str | Path) -> Faces:
    """Read Kaggle's `training.csv`, or the zip it comes in.

    Columns may be in any order, additional ones are ignored. An empty cell is a missing label.

    Args:
        path: `.csv`, or `.zip` with one `.csv` in it.

    Returns:
        The faces of all rows, in the order of the file.

    Raises:
        DataError: the file is missing, empty or without labels; a column is missing; a cell is not
            a number; an image has the wrong number of pixels or a value outside 0–255.
    """
    path = Path(path)
    table = _read_table(path, (*COLUMNS, _IMAGE))
    keypoints = _keypoints(table, path)
    if np.isnan(keypoints).all():
        raise DataError(f"{path}: no labels: none of the {len(table)} rows has a keypoint")
    return _kaggle_faces(_images(table, path), keypoints, np.arange(1, len(table) + 1), "kaggle")


def read_annotated(annotated: str | Path, images: str | Path) -> tuple[Faces, NDArray[np.int64]]:
    """Read annotations of Kaggle's test images, and the images from `test.csv`.

    Args:
        annotated: a table with `ImageId`, the 30 keypoint columns and, optionally, `asked`: the
            number of values of that image in Kaggle's evaluation (above 8: the 15-point scheme).
        images: Kaggle's `test.csv`, or the zip it comes in.

    Returns:
        The annotated faces, and `asked`, int64 `(N,)`, 30 without that column.

    Raises:
        DataError: as `read_training`; or `images` lacks an ImageId.
    """
    annotated, images = Path(annotated), Path(images)
    table = _read_table(annotated, ("ImageId", *COLUMNS))
    ids = _whole_numbers(table, "ImageId", annotated)
    asked = _numbers(table, "asked", annotated) if "asked" in table else np.full(len(ids), 30.0)
    image_table = _read_table(images, ("ImageId", _IMAGE))
    row_of = {int(i): row for row, i in enumerate(_whole_numbers(image_table, "ImageId", images))}
    missing = [int(i) for i in ids if int(i) not in row_of]
    if missing:
        raise DataError(f"{annotated}: ImageId {missing[0]} is not in {images}")
    rows = image_table.iloc[[row_of[int(i)] for i in ids]]
    name = annotated.stem.removeprefix("test_")
    faces = _kaggle_faces(_images(rows, images), _keypoints(table, annotated), ids, name)
    return faces, asked.astype(np.int64)


def _kaggle_faces(
    images: NDArray[np.uint8], keypoints: NDArray[np.float32], ids: NDArray[np.int64], source: str
) -> Faces:
    # Kaggle does not name persons; `train.data.split` finds the near-duplicates.
    groups = np.array([f"{source} {i}" for i in ids])
    return Faces(images, keypoints, ids, np.full(len(ids), source), groups)


def hash_file(path: str | Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _read_table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    if not path.is_file():
        raise DataError(f"{path}: no such file; expected a .csv or a .zip with one .csv in it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # a row with too many cells
            with open_table(path) as file:
                table = pd.read_csv(
                    file, dtype=str, keep_default_na=False, index_col=False, skipinitialspace=True
                ).fillna("")
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{path}: the file is empty") from error
    except (ValueError, RuntimeError, zipfile.BadZipFile, pd.errors.ParserWarning) as error:
        # ValueError includes ParserError, UnicodeDecodeError and a zip with several files;
        # RuntimeError a zip that is encrypted.
        raise DataError(f"{path}: cannot be read as a table ({first_line(error)})") from error
    table.columns = table.columns.str.strip()
    table = table[(table != "").any(axis=1)]  # spreadsheets leave lines of commas at the end
    missing = [column for column in columns if column not in table]
    if missing:
        raise DataError(
            f"{path}: column {missing[0]!r} is missing ({len(missing)} of the expected "
            f"{len(columns)} columns); found {len(table.columns)} columns"
        )
    if table.empty:
        raise DataError(f"{path}: the file has a header but no rows")
    return table


def _numbers(table: pd.DataFrame, column: str, path: Path) -> NDArray[np.float64]:
    text = table[column].str.strip()
    numbers = pd.to_numeric(text.where(text != "", "nan"), errors="coerce").to_numpy(np.float64)
    bad = np.flatnonzero(~np.isfinite(numbers) & ~text.str.lower().isin(["", "nan"]).to_numpy())
    if bad.size:
        raise DataError(
            f"{path}: row {bad[0] + 1}, column {column!r}: expected a number or an empty cell, "
            f"found {text.iloc[bad[0]][:40]!r}"
        )
    return numbers


def _whole_numbers(table: pd.DataFrame, column: str, path: Path) -> NDArray[np.int64]:
    numbers = _numbers(table, column, path)
    bad = np.flatnonzero(~(numbers == np.floor(numbers)))  # NaN, too
    if bad.size:
        raise DataError(
            f"{path}: row {table.index[bad[0]] + 1}, column {column!r}: expected a whole number, "
            f"found {table[column].iloc[bad[0]][:40]!r}"
        )
    return numbers.astype(np.int64)


def _keypoints(table: pd.DataFrame, path: Path) -> NDArray[np.float32]:
    values = np.stack([_numbers(table, column, path) for column in COLUMNS], axis=1)
    points = values.astype(np.float32).reshape(len(table), len(KEYPOINT_NAMES), 2)  # (N, K, 2)
    points[np.isnan(points).any(axis=2)] = np.nan  # one coordinate alone is not a point
    return points


def _images(table: pd.DataFrame, path: Path) -> NDArray[np.uint8]:
    images = np.empty((len(table), SIDE, SIDE), dtype=np.uint8)
    rows = table.index.to_numpy(np.int64) + 1  # row numbers in the file, from 1
    for i, (row, text) in enumerate(zip(rows, table[_IMAGE], strict=True)):
        images[i] = _pixels(text, f"{path}: row {row}, column 'Image'")
    return images


def _pixels(text: str, where: str) -> NDArray[np.uint8]:
    with warnings.catch_warnings():
        # numpy warns instead of raising at the first word that is not a number.
        warnings.simplefilter("error", DeprecationWarning)
        try:
            values = np.fromstring(text, dtype=np.int64, sep=" ")
        except (DeprecationWarning, ValueError) as error:
            bad = next((word for word in text.split() if not word.isdigit()), text[:20])
            raise DataError(f"{where}: expected integers, found {bad[:40]!r}") from error
    if values.size != SIDE * SIDE:
        raise DataError(
            f"{where}: expected {SIDE * SIDE} pixels ({SIDE}×{SIDE}), found {values.size}"
        )
    if values.min() < 0 or values.max() > 255:
        bad_value = values[(values < 0) | (values > 255)][0]
        raise DataError(f"{where}: expected values from 0 to 255, found {bad_value}")
    return values.astype(np.uint8).reshape(SIDE, SIDE)
