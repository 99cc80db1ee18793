"""Tables in CSV as spreadsheets and data frames save them, plain or in a zip file."""

from __future__ import annotations

import csv
import io
import itertools
import re
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

_ENCODING = "utf-8-sig"  # with or without a byte order mark
_DELIMITERS = ",;\t"  # Excel writes semicolons where the comma is the decimal sign
_ZIP = b"PK\x03\x04"
_WHOLE = re.compile(r"([+-]?\d{1,18})(?:\.0*)?")


@contextmanager
def open_table(path: Path) -> Iterator[TextIO]:
    """Open a table: a CSV file, or a zip file, whatever its name, with one in it.

    Raises:
        OSError: the file cannot be opened.
        ValueError: the zip file does not hold one `.csv` file.
        zipfile.BadZipFile, RuntimeError, NotImplementedError: it is damaged, encrypted, or
            compressed in an unknown way.
    """
    with ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        if file.read(len(_ZIP)) == _ZIP or path.suffix.lower() == ".zip":
            archive = stack.enter_context(zipfile.ZipFile(file))
            member = stack.enter_context(archive.open(name_in_zip(archive)))
            yield stack.enter_context(io.TextIOWrapper(member, _ENCODING, newline=""))
        else:
            file.seek(0)
            yield stack.enter_context(io.TextIOWrapper(file, _ENCODING, newline=""))


def name_in_zip(archive: zipfile.ZipFile) -> str:
    """The one `.csv` file of a zip file, beside hidden files and the `__MACOSX` of a Mac.

    Raises:
        ValueError: there is not exactly one.
    """
    names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
    tables = [name for name in names if not re.search(r"(^|/)(\.|__MACOSX/)", name)]
    if len(tables) != 1:
        raise ValueError(f"expected one .csv file in the zip file, found {len(tables)}")
    return tables[0]


def read_rows(file: TextIO) -> tuple[list[str], Iterator[dict[str, str]]]:
    """The names of the columns, and the rows by them; blanks around cells are removed.

    Lines whose cells are all empty, as spreadsheets leave at the end, are no rows. The delimiter is
    the comma, or the semicolon or tab if the header has only that. Cells that a row lacks are
    empty.

    Raises:
        ValueError: a column's name occurs twice; while iterating, a row has more cells than the
            header.
        csv.Error: a line is no CSV.
    """
    header = file.readline()
    delimiter = next((sign for sign in _DELIMITERS if sign in header), ",")
    lines = csv.reader(itertools.chain([header], file), delimiter=delimiter, skipinitialspace=True)
    names = [name.strip() for name in next(lines, [])]
    while names and not names[-1]:
        del names[-1]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise ValueError(f"the column {repeated!r} occurs twice")
    return names, _rows(lines, names)


def _rows(lines: Iterator[list[str]], names: list[str]) -> Iterator[dict[str, str]]:
    number = 0
    for line in lines:
        cells = [cell.strip() for cell in line]
        if not any(cells):
            continue
        number += 1
        if any(cells[len(names) :]):
            raise ValueError(f"row {number} has more cells than the header has columns")
        cells += [""] * (len(names) - len(cells))
        yield dict(zip(names, cells, strict=False))


def parse_whole(text: str) -> int:
    """A whole number, also as a data frame with gaps writes it, "17.0".

    Raises:
        ValueError: it is none, or has more than 18 digits.
    """
    match = _WHOLE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"expected a whole number, found {text[:40]!r}")
    return int(match.group(1))
