"""Files of crops: `.npy` arrays, and Kaggle's `test.csv`, plain or zipped.

Legend: N crops, S side of a crop.
"""

from __future__ import annotations

import csv
import re
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import ImageError, SourceError, first_line
from edge.formats.tables import open_table, parse_whole, read_rows

_BATCH = 64  # crops
# What the readers of arrays and zip files raise on damaged files.
_READ_ERRORS = (
    OSError, ValueError, EOFError, LookupError, OverflowError, NotImplementedError, RuntimeError,
    MemoryError, struct.error, zlib.error, zipfile.BadZipFile,
)  # fmt: skip
_ARRAY = b"\x93NUMPY"
# Names of columns that people give to the numbers of images.
_NUMBER_COLUMN = re.compile(
    r"(?:^|[^a-z])id$|I[dD]$|^(?i:image)_?(?:id|number|index|no)$|^(?:number|index|#)$"
)


@dataclass(frozen=True, slots=True)
class CropBatch:
    """Several crops of one file.

    Attributes:
        numbers: int64 `(N,)`, the number of each crop.
        images: uint8 `(N, S, S)`, grey.
    """

    numbers: NDArray[np.int64]
    images: NDArray[np.uint8]


def read_crops(path: str | Path, size: int) -> Iterator[CropBatch]:
    """Read a file of crops in batches.

    Args:
        path: `.npy` with uint8 `(N, S, S)`, whose crops are numbered from 0; or a CSV table with a
            column `Image` of S·S grey values separated by spaces, and optionally a column
            `ImageId` (without it rows are numbered from 1); or a zip file with one such table.
        size: the side S that the crops must have, px.

    Raises:
        SourceError: the file cannot be opened.
        ImageError: the file is damaged, or its contents have another form.
    """
    path = Path(path)
    if path.suffix.lower() == ".npy" or _is_array(path):
        yield from _read_array(path, size)
    else:
        yield from _read_table(path, size)


def _is_array(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_ARRAY)) == _ARRAY
    except OSError:
        return False  # opening it again says why


def _read_array(path: Path, size: int) -> Iterator[CropBatch]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file") from error
    except (*_READ_ERRORS, SyntaxError, TypeError, tokenize.TokenError) as error:  # in the header
        raise ImageError(f"{path}: cannot be read as an array ({first_line(error)})") from error
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[1:] != (size, size):
        raise ImageError(
            f"{path}: expected uint8 crops of shape (N, {size}, {size}), "
            f"received {array.dtype} of shape {array.shape}"
        )
    for start in range(0, len(array), _BATCH):
        images = np.array(array[start : start + _BATCH])
        yield CropBatch(np.arange(start, start + len(images), dtype=np.int64), images)


def _read_table(path: Path, size: int) -> Iterator[CropBatch]:
    try:
        with open_table(path) as file:
            columns, rows = read_rows(file)
            _check_columns(columns, path)
            yield from _batches(rows, "ImageId" in columns, path, size)
    except ImageError:
        raise
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file") from error
    except OSError as error:
        raise SourceError(f"{path}: cannot be opened ({first_line(error)})") from error
    except (csv.Error, *_READ_ERRORS) as error:
        raise ImageError(f"{path}: cannot be read as a table ({first_line(error)})") from error


def _check_columns(columns: list[str], path: Path) -> None:
    """Raise ImageError unless there is an Image, and no column that may be meant as its number."""
    if "Image" not in columns:
        found = f", found {', '.join(columns[:5])}" if columns else ""
        raise ImageError(f"{path}: no column Image{found}; expected a table in Kaggle's format")
    unrecognised = [name for name in columns if _NUMBER_COLUMN.search(name) and name != "ImageId"]
    if unrecognised and "ImageId" not in columns:
        raise ImageError(
            f"{path}: the column {unrecognised[0]!r} is not recognised; name it ImageId if it "
            "numbers the images, or remove it"
        )


def _batches(
    rows: Iterator[dict[str, str]], has_numbers: bool, path: Path, size: int
) -> Iterator[CropBatch]:
    numbers: list[int] = []
    images: list[NDArray[np.uint8]] = []
    for row, cells in enumerate(rows, start=1):
        location = f"{path}: row {row}"
        numbers.append(_parse_number(cells["ImageId"], location) if has_numbers else row)
        images.append(_parse_image(cells["Image"], size, location))
        if len(numbers) == _BATCH:
            yield _stack(numbers, images)
            numbers, images = [], []
    if numbers:
        yield _stack(numbers, images)


def _parse_number(cell: str, location: str) -> int:
    try:
        return parse_whole(cell)
    except ValueError as error:
        raise ImageError(f"{location}, ImageId: {error}") from error


def _stack(numbers: list[int], images: list[NDArray[np.uint8]]) -> CropBatch:
    return CropBatch(np.array(numbers, np.int64), np.stack(images))


def _parse_image(cell: str, size: int, location: str) -> NDArray[np.uint8]:
    words = cell.split()
    if len(words) != size * size:
        raise ImageError(f"{location}: expected {size * size} grey values, received {len(words)}")
    try:
        values = np.array(words, dtype=np.float64)
    except ValueError as error:
        raise ImageError(f"{location}: a grey value is no number ({first_line(error)})") from error
    if not (values == np.floor(values)).all():
        raise ImageError(f"{location}: a grey value is not an integer")
    if values.min() < 0 or values.max() > 255:
        raise ImageError(f"{location}: a grey value is out of range, expected 0–255")
    return values.astype(np.uint8).reshape(size, size)
