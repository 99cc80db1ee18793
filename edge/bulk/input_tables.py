"""Tables that name photos, or hold them: lists of addresses, and Parquet columns of bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from edge.bulk.photos import Photo, photo_at, say
from edge.errors import SourceError

_SUFFIXES = (".parquet", ".csv", ".txt")
_BYTES = "bytes"  # the field of a struct column in which data sets keep pictures


def is_table(name: str) -> bool:
    """Whether a file, by its name, is a table of photos."""
    return Path(name).suffix.lower() in _SUFFIXES


def photos_of_table(name: str, files: Any, path: str, column: str | None) -> Iterator[Photo]:
    """The photos that a table names or holds.

    Args:
        name: what the table is called.
        files: the file system of fsspec that it lies in.
        path: of the table in it.
        column: that holds bytes or addresses; None for the first of bytes, else the first of text.
            A list in text has one address a line; a CSV has a header.

    Raises:
        SourceError: it cannot be read, or has no such column.
    """
    suffix = Path(path).suffix.lower()
    try:
        if suffix == ".parquet":
            with files.open(path) as file:
                yield from _of_parquet(name, pq.ParquetFile(file), column)
            return
        text = files.cat_file(path).decode("utf-8-sig")
        if suffix == ".txt":
            yield from _at(text.splitlines())
        else:
            yield from _of_csv(name, text, column)
    except SourceError:
        raise
    except Exception as error:  # each file system of fsspec raises what its client does
        raise SourceError(f"{name}: cannot be read ({say(error)})") from error


def _at(addresses: Iterable[str | None]) -> Iterator[Photo]:
    yield from (photo_at(address.strip()) for address in addresses if address and address.strip())


def _of_csv(name: str, text: str, column: str | None) -> Iterator[Photo]:
    rows = csv.reader(io.StringIO(text))
    place = _place(name, column, next(rows, [])) or 0
    yield from _at(row[place] for row in rows if len(row) > place)


def _of_parquet(name: str, table: pq.ParquetFile, column: str | None) -> Iterator[Photo]:
    schema = table.schema_arrow
    place = _place(name, column, schema.names)
    if place is None:
        place = _first(schema)
    if place is None:
        raise SourceError(f"{name}: expected a column of bytes or text, received {schema.names}")
    field = schema.field(place)
    if _is_text(field.type):
        for batch in table.iter_batches(columns=[field.name]):
            yield from _at(batch.column(0).to_pylist())
    elif _is_bytes(field.type):
        yield from _of_bytes(name, table, field.name)
    elif _is_struct_of_bytes(field.type):
        yield from _of_bytes(name, table, f"{field.name}.{_BYTES}")
    else:
        raise SourceError(
            f"{name}: {field.name} is {field.type}; expected a column of bytes or text"
        )


def _of_bytes(name: str, table: pq.ParquetFile, column: str) -> Iterator[Photo]:
    whole, number = photo_at(name), 0
    for group in range(table.num_row_groups):
        for row in range(table.metadata.row_group(group).num_rows):
            yield Photo(f"{whole.name}#{number}", whole.address, column, group, row)
            number += 1


def _place(name: str, column: str | None, names: list[str]) -> int | None:
    if column is None:
        return None
    if column not in names:
        raise SourceError(f"{name}: has no column {column!r}; expected one of {', '.join(names)}")
    return names.index(column)


def _first(schema: pa.Schema) -> int | None:
    kinds = [field.type for field in schema]
    pictures = [i for i, kind in enumerate(kinds) if _is_bytes(kind) or _is_struct_of_bytes(kind)]
    texts = [i for i, kind in enumerate(kinds) if _is_text(kind)]
    return next(iter(pictures + texts), None)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_struct_of_bytes(kind: pa.DataType) -> bool:
    place = kind.get_field_index(_BYTES) if pa.types.is_struct(kind) else -1
    return place >= 0 and _is_bytes(kind.field(place).type)
