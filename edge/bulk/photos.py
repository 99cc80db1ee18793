"""Photos of an archive, on this machine or in object storage, and how their bytes are read.

Files are prefetched by several threads while an earlier photo is processed: object storage has a
high latency, not a low throughput.
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

from edge.bulk.column_types import photo_of
from edge.bulk.storage import describe, is_remote, storage_errors
from edge.errors import SourceError
from edge.formats.names import written_name

_PREFETCH = 8  # files read concurrently; also the encoded photos that a worker holds in memory
_BATCH_ROWS = 16  # rows of a Parquet column of bytes that are decoded together


@dataclass(frozen=True, slots=True)
class Photo:
    """Where one photo is stored.

    Attributes:
        name: its name in results.
        address: absolute path or address of the file.
        column: the column of photos, in a Parquet file; empty if the file itself is the photo.
        group: the row group, in a Parquet file.
        row: the row within the row group.
    """

    name: str
    address: str
    column: str = ""
    group: int = 0
    row: int = 0

    @property
    def read_unit(self) -> str:
        """The smallest unit of storage that is read at once: the file, or one of its row groups."""
        return f"{self.address}#{self.group}" if self.column else self.address


def photo_at(name: str) -> Photo:
    """The photo in a file, from its address or its path, absolute or relative."""
    address = name if is_remote(name) else os.path.abspath(name)
    return Photo(written_name(name), address)  # Parquet takes no name that is invalid UTF-8


FetchResult = bytes | str  # the encoded photo, or the reason why it cannot be read


def fetch(photos: Sequence[Photo]) -> Iterator[FetchResult]:
    """Read photos.

    Args:
        photos: the photos to read.

    Yields:
        The bytes of each photo, in order, or a str with the reason why it cannot be read.
    """
    for column, group in groupby(photos, key=lambda photo: photo.column):
        if not column:
            yield from _fetch_files(list(group))
            continue
        for _, rows in groupby(group, key=lambda photo: photo.read_unit):
            yield from _fetch_rows(list(rows))


def _fetch_files(photos: list[Photo]) -> Iterator[FetchResult]:
    pending: deque[Future[FetchResult]] = deque()
    with ThreadPoolExecutor(_PREFETCH) as pool:
        for photo in photos:
            read = _read_remote if is_remote(photo.address) else _read_local
            pending.append(pool.submit(read, photo.address))
            if len(pending) == _PREFETCH:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _read_remote(address: str) -> FetchResult:
    try:
        with storage_errors("cannot be read"):
            files, path = fsspec.url_to_fs(address)
            data: bytes = files.cat_file(path)
            return data
    except SourceError as error:
        missing = isinstance(error.__cause__, FileNotFoundError)
        return "no such file" if missing else str(error)


def _read_local(address: str) -> FetchResult:
    path = Path(address)
    try:
        if path.exists() and not path.is_file():  # reading a named pipe would block forever
            return "is a directory or no regular file; expected an image file"
        return path.read_bytes()
    except FileNotFoundError:
        return "no such file"
    except (OSError, ValueError) as error:
        return f"cannot be opened ({describe(error)})"
    except MemoryError:
        return "too large for the memory of this computer"


def _fetch_rows(photos: list[Photo]) -> Iterator[FetchResult]:
    """Read photos of one row group, up to the last row that is needed."""
    pending = deque(photos)
    reason = "no such row"
    try:
        for row, value in _read_rows(photos[0]):
            if row == pending[0].row:
                pending.popleft()
                yield _fetch_value(value.as_py())
            if not pending:
                return
    except SourceError as error:
        reason = str(error)
    yield from (reason for _ in pending)


def _fetch_value(value: object) -> FetchResult:
    """The bytes of a row, or of the file that it names."""
    if isinstance(value, list):  # of a column of lists of uint8, see `content_of`
        return bytes(value)
    photo = photo_of(value)
    if isinstance(photo, str):
        return next(fetch([photo_at(photo)]))
    return photo if isinstance(photo, bytes) else "the row holds no bytes"


def _read_rows(photo: Photo) -> Iterator[tuple[int, pa.Scalar]]:
    """Number and value of each row of the row group that a photo is in."""
    row = 0
    with storage_errors("cannot be read"), fsspec.open(photo.address) as file:
        batches = pq.ParquetFile(file).iter_batches(
            _BATCH_ROWS, row_groups=[photo.group], columns=[photo.column], use_threads=False
        )
        for batch in batches:
            for value in batch.column(0):
                yield row, value
                row += 1
