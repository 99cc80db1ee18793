"""Files of crops: `.npy` arrays, and Kaggle's `test.csv`, plain or zipped.

Legend: N crops, S side of a crop.
"""

from __future__ import annotations

import csv
import io
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from edge.errors import ImageError, SourceError, first_line

_BATCH = 64  # crops
# What the readers of arrays and zip files raise on damaged files.
_READ_ERRORS = (
    OSError, ValueError, EOFError, LookupError, OverflowError, NotImplementedError, RuntimeError,
    MemoryError, struct.error, zlib.error, zipfile.BadZipFile,
)  # fmt: skip
_MAX_CELL_LENGTH = 1 << 20  # characters; 96×96 values take 37,000, Python's default is 131,072


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
            `ImageId` (default: rows are numbered from 1); or a zip file with one such table.
        size: the side S that the crops must have, px.

    Raises:
        SourceError: the file cannot be opened.
        ImageError: the file is damaged, or its contents have another form.
    """
    path = Path(path)
    if path.suffix.lower() == ".npy":
        yield from _read_array(path, size)
        return
    with ExitStack() as stack:
        yield from _read_table(_open_text(path, stack), path, size)


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


def _open_text(path: Path, stack: ExitStack) -> TextIO:
    try:
        if path.suffix.lower() == ".zip":
            return _open_zip(path, stack)
        return stack.enter_context(path.open(encoding="utf-8", newline=""))
    except ImageError:
        raise
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file") from error
    except OSError as error:
        raise SourceError(f"{path}: cannot be opened ({error.strerror})") from error
    except _READ_ERRORS as error:
        raise ImageError(f"{path}: cannot be read as a zip file ({first_line(error)})") from error


def _open_zip(path: Path, stack: ExitStack) -> TextIO:
    archive = stack.enter_context(zipfile.ZipFile(path))
    tables = [name for name in archive.namelist() if name.lower().endswith(".csv")]
    if len(tables) != 1:
        raise ImageError(f"{path}: expected one .csv file in the zip file, found {len(tables)}")
    return io.TextIOWrapper(stack.enter_context(archive.open(tables[0])), "utf-8", newline="")


def _read_table(file: TextIO, path: Path, size: int) -> Iterator[CropBatch]:
    csv.field_size_limit(max(csv.field_size_limit(), _MAX_CELL_LENGTH))
    rows = csv.DictReader(file)
    numbers: list[int] = []
    images: list[NDArray[np.uint8]] = []
    try:
        if "Image" not in (rows.fieldnames or ()):
            raise ImageError(f"{path}: no column Image; expected a table in Kaggle's format")
        for number, row in enumerate(rows, start=1):
            numbers.append(int(row.get("ImageId") or number))
            images.append(_parse_image(row["Image"], size, f"{path}: row {number}"))
            if len(numbers) == _BATCH:
                yield _stack(numbers, images)
                numbers, images = [], []
    except ImageError:
        raise
    except (csv.Error, *_READ_ERRORS) as error:
        raise ImageError(f"{path}: cannot be read as a table ({first_line(error)})") from error
    if numbers:
        yield _stack(numbers, images)


def _stack(numbers: list[int], images: list[NDArray[np.uint8]]) -> CropBatch:
    return CropBatch(np.array(numbers, np.int64), np.stack(images))


def _parse_image(cell: str | None, size: int, location: str) -> NDArray[np.uint8]:
    words = (cell or "").split()
    if len(words) != size * size:
        raise ImageError(f"{location}: expected {size * size} grey values, received {len(words)}")
    try:
        values = np.array(words, dtype=np.int64)
    except ValueError as error:
        raise ImageError(
            f"{location}: a grey value is not an integer ({first_line(error)})"
        ) from error
    if values.min() < 0 or values.max() > 255:
        raise ImageError(f"{location}: a grey value is out of range, expected 0–255")
    return values.astype(np.uint8).reshape(size, size)
