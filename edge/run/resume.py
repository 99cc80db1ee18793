"""Going on where a run was cut off: what its tables hold, and how they are cut back to whole rows.

Results are written in the order of the inputs, so only the last input can be half done. Its rows
are taken out of both tables, and it is done again.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import SourceError

_BEGIN = '{"image": "'  # of every record


def cut_back(json_path: str | None, csv_path: str | None, inputs: Collection[str]) -> set[str]:
    """Leave in the tables only what is surely whole, and what other runs wrote.

    An input whose rows one table has and the other lacks, since it is new or was cut off, is not
    done: it leaves both.

    Args:
        json_path: of the JSON lines, or None.
        csv_path: of the CSV, or None.
        inputs: of this run; the rows of others are kept as they are.

    Returns:
        The inputs that are done.

    Raises:
        SourceError: a file cannot be read, or is no table of ours.
    """
    lines = _json_lines(json_path) if json_path else []
    table = _csv_rows(csv_path) if csv_path else []
    rows = Counter(row[0] for row in table[1:])
    faces: Counter[str] = Counter()
    for line in lines:
        faces[line.image] += line.faces
    done = set(faces) if json_path else set(rows)
    if json_path and csv_path:  # a picture without faces has no row
        done = {name for name in done | set(rows) if name in faces and faces[name] == rows[name]}
    done -= {some[-1] for some in ([line.image for line in lines], [*rows]) if some}
    lost = set(inputs) - done
    if json_path and Path(json_path).exists():
        _replace(json_path, "".join(line.text for line in lines if line.image not in lost))
    if csv_path and table:
        _replace_csv(csv_path, [table[0], *(row for row in table[1:] if row[0] not in lost)])
    return done


@dataclass(frozen=True, slots=True)
class _Line:
    """A whole record: of which image, with how many faces, and as it is written."""

    image: str
    faces: int
    text: str


def _json_lines(path: str) -> list[_Line]:
    """Each whole record."""
    found = []
    lines = _lines(_read(path))
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
            found.append(_Line(str(record["image"]), len(record["faces"]), line))
        except (ValueError, KeyError, TypeError) as error:
            if number == len(lines) and _is_begun(line):  # cut off in the middle
                break
            raise SourceError(f"{path}: line {number} is no result; give another file") from error
    return found


def _is_begun(line: str) -> bool:
    """Whether a last line may be the beginning of a record of ours, and no more."""
    return not line.endswith("\n") and (line[: len(_BEGIN)] == _BEGIN[: len(line)])


def _lines(text: str) -> list[str]:
    """Lines with their ends; unlike `splitlines`, only where the file itself has one."""
    return re.findall(r"[^\n]*\n|[^\n]+$", text)


def _csv_rows(path: str) -> list[list[str]]:
    text = _read(path)
    if text and not text.endswith("\n"):
        text = text[: text.rfind("\n") + 1]
    rows = list(csv.reader(_lines(text)))
    if rows and (rows[0][:2] != ["image", "frame"] or any(len(r) != len(rows[0]) for r in rows)):
        raise SourceError(f"{path}: is no table of results; give another file")
    return rows


def _read(path: str) -> str:
    try:
        with Path(path).open(encoding="utf-8", errors="backslashreplace", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror})") from error


def _replace(path: str, text: str) -> None:
    part = Path(f"{path}.part")
    with part.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        file.write(text)
    part.replace(path)


def _replace_csv(path: str, rows: Sequence[Sequence[str]]) -> None:
    part = Path(f"{path}.part")
    with part.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    part.replace(path)
