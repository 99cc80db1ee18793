"""Resuming an interrupted run: which inputs are complete, from the tables that it wrote.

Results are written in the order of the inputs, so that only the last input of a table can be
incomplete. Its rows are removed from both tables, and it is processed again. An input that failed
after some of its rows were written, as a damaged video, is named in a file of marks beside each
table, and likewise processed again.
"""

from __future__ import annotations

import contextlib
import csv
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import SourceError
from edge.files import write_atomically
from edge.formats.names import written_name
from edge.run.csv_text import csv_line, parse_complete_rows
from edge.run.tables import TablePaths

_RECORD_START = '{"image": "'  # of every line of the JSON Lines file
_MARKS_SUFFIX = ".incomplete"  # of the file of marks, after the name of its table


@dataclass(frozen=True, slots=True)
class _Record:
    """A complete line of the JSON Lines file.

    Attributes:
        image: name of the image, as it is written.
        faces: number of faces.
        line: as written, with its line end.
    """

    image: str
    faces: int
    line: str


def drop_incomplete(
    paths: TablePaths, inputs: Collection[str], columns: Sequence[str] | None = None
) -> set[str]:
    """Remove the rows of incomplete inputs from the tables.

    With two tables, an input that is in one of them alone is incomplete, too.

    Args:
        paths: of the tables; they are replaced, and one that does not exist is not created.
        inputs: names of the sources of this run; rows of other images are kept.
        columns: names of the CSV's columns in this run; None for any.

    Returns:
        Those of `inputs` that are complete.

    Raises:
        SourceError: a file cannot be read, is not a table of results, or has other columns.
    """
    records = _read_records(paths.json) if paths.json else []
    table = _read_rows(paths.csv) if paths.csv else []
    if table and columns is not None and table[0] != list(columns):
        raise SourceError(
            f"{paths.csv}: has {len(table[0])} columns, and this run writes {len(columns)}; "
            "resume with the options of the first run, or choose another file"
        )
    written = _completed(paths, records, [row[0] for row in table[1:]]) - _marked(paths)
    completed = {name for name in inputs if written_name(name) in written}
    incomplete = {written_name(name) for name in inputs} - written
    if paths.json and Path(paths.json).exists():
        _write_lines(paths.json, (r.line for r in records if r.image not in incomplete))
    if paths.csv and table:
        _write_rows(paths.csv, [table[0], *(r for r in table[1:] if r[0] not in incomplete)])
    _keep_marks(paths, set(inputs))
    return completed


def mark_incomplete(paths: TablePaths, name: str) -> None:
    """Note that an input failed after rows of it were written.

    Raises:
        SourceError: the file of marks cannot be written.
    """
    for path in _marks(paths):
        try:
            with path.open("a", encoding="ascii") as file:
                file.write(json.dumps(name) + "\n")
        except OSError as error:
            raise SourceError(f"{path}: cannot be written ({error.strerror})") from error


def remove_marks(paths: TablePaths) -> None:
    """Remove the files of marks, at the start of a run."""
    for path in _marks(paths):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _keep_marks(paths: TablePaths, inputs: set[str]) -> None:
    """Keep the marks of inputs that are not processed in this run."""
    others = sorted(_marked(paths) - {written_name(name) for name in inputs})
    remove_marks(paths)
    for name in others:
        mark_incomplete(paths, name)


def _marks(paths: TablePaths) -> list[Path]:
    return [Path(table + _MARKS_SUFFIX) for table in paths.files]


def _marked(paths: TablePaths) -> set[str]:
    """The inputs that failed after rows of them were written."""
    names = set()
    for path in _marks(paths):
        for line in _split_lines(_read_text(str(path))):
            with contextlib.suppress(ValueError):  # a line that was not written to its end
                names.add(written_name(str(json.loads(line))))
    return names


def _completed(paths: TablePaths, records: list[_Record], row_images: list[str]) -> set[str]:
    """The complete images; `row_images` are the images of the CSV rows, one per face."""
    rows = Counter(row_images)
    faces: Counter[str] = Counter()
    for record in records:
        faces[record.image] += record.faces
    if paths.json and paths.csv:  # an image without faces has no CSV row
        completed = {name for name in faces if faces[name] == rows[name]}
    else:
        completed = set(faces) if paths.json else set(rows)
    last_json = {record.image for record in records[-1:]}
    last_csv = set(list(rows)[-1:])
    return completed - last_json - last_csv


def _read_records(path: str) -> list[_Record]:
    """The complete lines of a JSON Lines file; none if there is no file."""
    records = []
    lines = _split_lines(_read_text(path))
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
            records.append(_Record(str(record["image"]), len(record["faces"]), line))
        except (ValueError, KeyError, TypeError) as error:
            if number == len(lines) and _is_truncated(line):
                break
            raise SourceError(
                f"{path}: line {number} is not a result of this program; choose another file"
            ) from error
    return records


def _is_truncated(line: str) -> bool:
    """Whether a last line may be the first part of a record."""
    return not line.endswith("\n") and line[: len(_RECORD_START)] == _RECORD_START[: len(line)]


def _split_lines(text: str) -> list[str]:
    """Lines with their ends; unlike `splitlines`, at newlines only, not at U+2028 and the like."""
    return re.findall(r"[^\n]*\n|[^\n]+$", text)


def _read_rows(path: str) -> list[list[str]]:
    """The complete rows of a CSV file with its header; none if there is no file."""
    text = _read_text(path)
    failure = SourceError(f"{path}: is not a table of results; choose another file")
    try:
        rows = parse_complete_rows(text)
    except csv.Error as error:
        raise failure from error
    if rows and (
        rows[0][:2] != ["image", "frame"] or any(len(row) != len(rows[0]) for row in rows)
    ):
        raise failure
    return rows


def _read_text(path: str) -> str:
    try:
        with Path(path).open(encoding="utf-8", errors="backslashreplace", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror})") from error


def _write_lines(path: str, lines: Iterable[str]) -> None:
    with (
        write_atomically(Path(path)) as part,
        part.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        file.writelines(lines)


def _write_rows(path: str, rows: Sequence[Sequence[str]]) -> None:
    with (
        write_atomically(Path(path)) as part,
        part.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        file.writelines(map(csv_line, rows))
