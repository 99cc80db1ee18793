"""A photo of an archive, wherever it lies, and its bytes.

Addresses are whatever fsspec opens. Files are fetched several at once, ahead of the one that is
looked at: object storage answers late, not slowly.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

_AHEAD = 8  # files fetched at once; what a worker holds undecoded
_ROWS_AT_ONCE = 16  # of a Parquet column of bytes


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo to look at.

    Attributes:
        name: what it is called in results.
        address: of the file, absolute.
        column: of a Parquet file, the one that holds bytes; empty where the file is the picture.
        group: of a Parquet file, the row group.
        row: in the row group.
    """

    name: str
    address: str
    column: str = ""
    group: int = 0
    row: int = 0

    @property
    def place(self) -> str:
        """What is read together: the file, or a row group of it."""
        return f"{self.address}#{self.group}" if self.column else self.address


def photo_at(name: str) -> Photo:
    """The photo in a file, from its address or path, which may be relative."""
    address = name if "://" in name else os.path.abspath(name)
    # Names of files need not be valid text; Parquet's must be.
    return Photo(name.encode("utf-8", "backslashreplace").decode(), address)


Fetched = bytes | str  # a str says why there are no bytes


def fetch(photos: Sequence[Photo]) -> Iterator[Fetched]:
    """The bytes of each photo, in order, or why it cannot be read."""
    for column, some in groupby(photos, key=lambda photo: photo.column):
        if not column:
            yield from _fetch_files(list(some))
            continue
        for _, rows in groupby(some, key=lambda photo: photo.place):
            yield from _fetch_rows(list(rows))


def _fetch_files(photos: list[Photo]) -> Iterator[Fetched]:
    waiting: deque[Future[Fetched]] = deque()
    with ThreadPoolExecutor(_AHEAD) as pool:
        for photo in photos:
            waiting.append(pool.submit(_read, photo.address))
            if len(waiting) == _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _read(address: str) -> Fetched:
    if "://" not in address:
        return _read_local(Path(address))
    try:
        files, path = fsspec.url_to_fs(address)
        data: bytes = files.cat_file(path)
        return data
    except FileNotFoundError:
        return "no such file"
    except Exception as error:  # each file system of fsspec raises what its client does
        return f"cannot be read ({say(error)})"


def _read_local(path: Path) -> Fetched:
    try:
        if path.exists() and not path.is_file():  # a named pipe would be waited for forever
            return "is a directory or no regular file; expected a picture file"
        return path.read_bytes()
    except FileNotFoundError:
        return "no such file"
    except (OSError, ValueError) as error:
        return f"cannot be opened ({say(error)})"
    except MemoryError:
        return "too large for the memory of this computer"


def _fetch_rows(photos: list[Photo]) -> Iterator[Fetched]:
    """Rows of one row group, which is read no further than the last of them."""
    wanted = deque(photos)
    try:
        for row, value in _values(photos[0]):
            if row == wanted[0].row:
                data = value.as_py()
                wanted.popleft()
                yield "the row holds no bytes" if data is None else data
            if not wanted:
                return
        reason = "no such row"
    except Exception as error:  # as in `_read`
        reason = f"cannot be read ({say(error)})"
    yield from (reason for _ in wanted)


def _values(photo: Photo) -> Iterator[tuple[int, pa.Scalar]]:
    with fsspec.open(photo.address) as file:
        table = pq.ParquetFile(file)
        batches = table.iter_batches(
            _ROWS_AT_ONCE, row_groups=[photo.group], columns=[photo.column], use_threads=False
        )
        row = 0
        for batch in batches:
            column = batch.column(0)
            values = column.field(0) if pa.types.is_struct(column.type) else column
            for value in values:
                yield row, value
                row += 1


def say(error: BaseException) -> str:
    """The first line of what an error says, or its name."""
    if isinstance(error, FileNotFoundError):  # which often says no more than a path
        return "no such file or folder"
    text = str(getattr(error, "strerror", None) or error).strip()
    return text.splitlines()[0] if text else type(error).__name__
