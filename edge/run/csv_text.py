"""CSV that holds any name of a file: with quotes, commas and line ends."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

_LINE_END = "\n"


def csv_line(cells: Iterable[object]) -> str:
    """A row with its line end; cells with a quote, a comma or a line end of any kind are quoted."""
    file = io.StringIO()
    # The writer quotes the characters of its line end, and before Python 3.13 no other line ends.
    csv.writer(file, lineterminator="\r\n").writerow(cells)
    return file.getvalue().removesuffix("\r\n") + _LINE_END


def parse_complete_rows(text: str) -> list[list[str]]:
    """The rows of a table that `csv_line` wrote, without a last one that was cut off.

    Raises:
        csv.Error: it is no such table.
    """
    records, start = [], 0
    for line_end in re.finditer(_LINE_END, text):
        record = text[start : line_end.end()]
        if record.count('"') % 2 == 0:  # else the line end is part of a cell
            records.append(next(csv.reader([record])))
            start = line_end.end()
    return records
