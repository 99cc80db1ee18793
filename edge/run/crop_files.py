"""Files of faces that are cut out already: `.npy` arrays, and Kaggle's `test.csv`, plain or zipped.

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

from edge.errors import ImageError, SourceError

_AT_ONCE = 64
# What the readers of arrays and zips raise on damaged files.
_BROKEN = (
    OSError, ValueError, EOFError, LookupError, OverflowError, NotImplementedError, RuntimeError,
    MemoryError, struct.error, zlib.error, zipfile.BadZipFile,
)  # fmt: skip
_LONGEST_CELL = 1 << 20  # characters; 96×96 numbers take 37,000, Python's default limit is 131,072


@dataclass(frozen=True, slots=True)
class Crops:
    """Some crops: numbers, int64 `(N,)`, and pictures, uint8 `(N, S, S)`."""

    numbers: NDArray[np.int64]
    pictures: NDArray[np.uint8]


def read_crops(path: str | Path, size: int) -> Iterator[Crops]:
    """Read crops, some at once.

    Args:
        path: `.npy` with uint8 `(N, S, S)`, whose crops are numbered from 0; or a table with a
            column `Image`, S·S grey values divided by blanks, and perhaps `ImageId`, else its rows
            are numbered from 1; or a zip of one table.
        size: the side S that the crops must have, px.

    Raises:
        SourceError: the file cannot be opened.
        ImageError: it holds no such crops.
    """
    path = Path(path)
    if path.suffix.lower() == ".npy":
        yield from _read_array(path, size)
        return
    with ExitStack() as stack:
        yield from _read_table(_open_text(path, stack), path, size)


def _read_array(path: Path, size: int) -> Iterator[Crops]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file") from error
    except (*_BROKEN, SyntaxError, TypeError, tokenize.TokenError) as error:  # a damaged header
        raise ImageError(f"{path}: cannot be read as an array ({_line(error)})") from error
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[1:] != (size, size):
        raise ImageError(
            f"{path}: expected uint8 crops of shape (N, {size}, {size}), "
            f"found {array.dtype} of shape {array.shape}"
        )
    for start in range(0, len(array), _AT_ONCE):
        some = np.array(array[start : start + _AT_ONCE])
        yield Crops(np.arange(start, start + len(some), dtype=np.int64), some)


def _open_text(path: Path, stack: ExitStack) -> TextIO:
    try:
        if path.suffix.lower() != ".zip":
            return stack.enter_context(path.open(encoding="utf-8", newline=""))
        archive = stack.enter_context(zipfile.ZipFile(path))
        tables = [name for name in archive.namelist() if name.lower().endswith(".csv")]
        if len(tables) != 1:
            raise ImageError(f"{path}: expected one .csv in the zip, found {len(tables)}")
        return io.TextIOWrapper(stack.enter_context(archive.open(tables[0])), "utf-8", newline="")
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file") from error
    except OSError as error:
        raise SourceError(f"{path}: cannot be opened ({error.strerror})") from error
    except _BROKEN as error:
        raise ImageError(f"{path}: cannot be read as a zip file ({_line(error)})") from error


def _read_table(file: TextIO, path: Path, size: int) -> Iterator[Crops]:
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
    rows = csv.DictReader(file)
    numbers: list[int] = []
    pictures: list[NDArray[np.uint8]] = []
    try:
        if "Image" not in (rows.fieldnames or ()):
            raise ImageError(f"{path}: no column Image; expected a table in Kaggle's form")
        for number, row in enumerate(rows, start=1):
            numbers.append(int(row.get("ImageId") or number))
            pictures.append(_picture(row["Image"], size, f"{path}: row {number}"))
            if len(numbers) == _AT_ONCE:
                yield _crops(numbers, pictures)
                numbers, pictures = [], []
    except (csv.Error, *_BROKEN) as error:
        if isinstance(error, ImageError):
            raise
        raise ImageError(f"{path}: cannot be read as a table ({_line(error)})") from error
    if numbers:
        yield _crops(numbers, pictures)


def _crops(numbers: list[int], pictures: list[NDArray[np.uint8]]) -> Crops:
    return Crops(np.array(numbers, np.int64), np.stack(pictures))


def _picture(cell: str | None, size: int, where: str) -> NDArray[np.uint8]:
    words = (cell or "").split()
    if len(words) != size * size:
        raise ImageError(f"{where}: expected {size * size} grey values, found {len(words)}")
    try:
        values = np.array(words, dtype=np.int64)
    except ValueError as error:
        raise ImageError(f"{where}: a grey value is no whole number ({_line(error)})") from error
    if values.min() < 0 or values.max() > 255:
        raise ImageError(f"{where}: a grey value lies outside 0–255")
    return values.astype(np.uint8).reshape(size, size)


def _line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
