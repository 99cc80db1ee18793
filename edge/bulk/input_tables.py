"""Tables of photos: lists of addresses, and Parquet columns of encoded images."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from edge.bulk.column_types import content_of, photo_of
from edge.bulk.photos import Photo, photo_at
from edge.bulk.storage import storage_errors
from edge.cli.filenames import is_image_name
from edge.errors import SourceError, first_line

_SUFFIXES = (".parquet", ".csv", ".txt")
_OF_BYTES = ("bytes", "bytes in structs")  # without lists, which may hold any numbers
_OF_TEXT = ("text", "text in structs")


def is_table(name: str) -> bool:
    """Whether a file is, by its name, a table of photos."""
    return Path(name).suffix.lower() in _SUFFIXES


def photos_of_table(name: str, files: Any, path: str, column: str | None) -> Iterator[Photo]:
    """List the photos of a table.

    Args:
        name: the table's name in results and messages.
        files: the fsspec file system of the table.
        path: the table's path within it.
        column: the column of bytes or addresses; None for the first of bytes, or else the first of
            text. A `.txt` file has one address per line; a `.csv` file has a header.

    Yields:
        The photos, in the order of the rows.

    Raises:
        SourceError: the table cannot be read, or has no such column.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".parquet":
        yield from _photos_of_parquet(name, files, path, column)
        return
    with storage_errors(_failure(name)):
        text = files.cat_file(path).decode("utf-8-sig")
    if suffix == ".txt":
        yield from _photos_at(text.splitlines())
    else:
        yield from _photos_of_csv(name, text, column)


def _failure(name: str) -> str:
    return f"{name}: cannot be read"


def _photos_at(addresses: Iterable[str | None]) -> Iterator[Photo]:
    yield from (photo_at(address.strip()) for address in addresses if address and address.strip())


def _photos_of_csv(name: str, text: str, column: str | None) -> Iterator[Photo]:
    rows = csv.reader(io.StringIO(text), skipinitialspace=True)
    try:
        header = [cell.strip() for cell in next(rows, [])]
        index = _column_index(name, column, header) or 0
        _check_header(name, header)
        yield from _photos_at(row[index] for row in rows if len(row) > index)
    except csv.Error as error:
        raise SourceError(f"{_failure(name)} ({first_line(error)})") from error


def _check_header(name: str, header: list[str]) -> None:
    """Raise SourceError if the first line is one of addresses, which would be lost."""
    address = next((cell for cell in header if is_image_name(Path(cell))), None)
    if address is not None:
        raise SourceError(
            f"{name}: the first line names the photo {address}; expected a header, such as: image"
        )


def _photos_of_parquet(name: str, files: Any, path: str, column: str | None) -> Iterator[Photo]:
    with ExitStack() as stack:
        with storage_errors(_failure(name)):
            table = pq.ParquetFile(stack.enter_context(files.open(path)))
        field = _photo_field(name, table.schema_arrow, column)
        content = content_of(field.type)
        if content in ("text", "text in structs"):
            yield from _photos_at(_text_values(name, table, field.name))
        elif content is not None:
            yield from _photos_in_rows(name, table, field.name)
        else:
            raise SourceError(
                f"{name}: {field.name} is {field.type}; expected a column of bytes or text"
            )


def _text_values(name: str, table: pq.ParquetFile, column: str) -> Iterator[Any]:
    with storage_errors(_failure(name)):
        for batch in table.iter_batches(columns=[column]):
            yield from map(photo_of, batch.column(0).to_pylist())


def _photos_in_rows(name: str, table: pq.ParquetFile, column: str) -> Iterator[Photo]:
    file = photo_at(name)
    number = 0
    for group in range(table.num_row_groups):
        for row in range(table.metadata.row_group(group).num_rows):
            yield Photo(f"{file.name}#{number}", file.address, column, group, row)
            number += 1


def _photo_field(name: str, schema: pa.Schema, column: str | None) -> pa.Field:
    index = _column_index(name, column, schema.names)
    if index is None:
        index = _default_column(schema)
    if index is None:
        found = ", ".join(f"{field.name} ({field.type})" for field in schema)
        raise SourceError(f"{name}: expected a column of bytes or text, received {found}")
    return schema.field(index)


def _column_index(name: str, column: str | None, columns: list[str]) -> int | None:
    if column is None:
        return None
    if column not in columns:
        raise SourceError(f"{name}: has no column {column!r}; expected one of {', '.join(columns)}")
    return columns.index(column)


def _default_column(schema: pa.Schema) -> int | None:
    """The first column of bytes, or else of text; categories, which are often labels, come last."""
    contents = [content_of(field.type) for field in schema]
    plain = [i for i, field in enumerate(schema) if not pa.types.is_dictionary(field.type)]
    order = [*plain, *sorted(set(range(len(schema))) - set(plain))]
    of_bytes = [i for i in order if contents[i] in _OF_BYTES]
    of_text = [i for i in order if contents[i] in _OF_TEXT]
    return next(iter(of_bytes + of_text), None)
