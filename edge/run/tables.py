"""The JSON Lines files and the CSV file of a run, written and flushed image by image."""

from __future__ import annotations

import codecs
import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from edge.analysis.assessment import Assessment
from edge.analysis.event import Event
from edge.cli.filenames import STDIO
from edge.errors import SourceError
from edge.face import Face
from edge.formats.names import written_name
from edge.measures import MeasureSettings
from edge.records import TIME_DIGITS, csv_header, csv_row, to_record
from edge.run.csv_text import csv_line
from edge.run.output_paths import FileSet


@dataclass(frozen=True, slots=True)
class TablePaths:
    """The paths of the tables: a file, `-` for standard output, or None for no table."""

    json: str | None = None
    csv: str | None = None
    events: str | None = None

    @property
    def files(self) -> list[str]:
        """Those that are files."""
        return [path for path in self._all if path and path != STDIO]

    @property
    def use_stdout(self) -> bool:
        """Whether one of them is standard output."""
        return STDIO in self._all

    @property
    def _all(self) -> tuple[str | None, ...]:
        return self.json, self.csv, self.events


@dataclass(frozen=True, slots=True)
class TableContent:
    """What the tables have beside boxes, scores and keypoints.

    Attributes:
        points68: the CSV has columns of the 68 points, which all faces have then.
        measuring: how the faces are measured.
        assessed: further columns of the CSV, of `edge.analysis.assessment.Assessor`.
    """

    points68: bool = False
    measuring: MeasureSettings = MeasureSettings()  # noqa: RUF009 - frozen
    assessed: tuple[str, ...] = ()


class Tables:
    """The open tables."""

    def __init__(
        self,
        names: Sequence[str],
        json_file: TextIO | None,
        csv_file: TextIO | None,
        content: TableContent | None = None,
        events_file: TextIO | None = None,
    ) -> None:
        """Write the CSV header if that file is empty.

        Args:
            names: names of the keypoints, in order.
            json_file: open for writing, or None.
            csv_file: likewise.
            content: what else the tables have; None for the defaults.
            events_file: open for writing, or None.
        """
        self._names = names
        self._content = content or TableContent()
        self._json = json_file
        self._csv, self._events = csv_file, events_file
        if csv_file and not (csv_file.seekable() and csv_file.tell()):
            csv_file.write(csv_line(csv_columns(names, self._content)))

    def write(
        self,
        image: str,
        size: tuple[int, int],
        faces: Sequence[Face],
        frame: int | None = None,
        time: float | None = None,
        assessments: Sequence[Assessment] = (),
    ) -> None:
        """Append the faces of one image; arguments as `edge.records.to_record`.

        Args:
            image: name of the image; the tables hold it as `written_name` gives it.
            size: its width and height, px.
            faces: the faces in it.
            frame: number of the frame or crop, for a file of several.
            time: when the frame is shown, seconds after the first of the video.
            assessments: of each face, if they are assessed.
        """
        if self._json:
            name = written_name(image)
            measuring = self._content.measuring
            record = to_record(name, *size, faces, self._names, frame, time, measuring)
            for entry, assessment in zip(record["faces"], assessments, strict=False):
                entry.update(assessment.to_dict())
            _write_json(record, self._json)
        if self._csv:
            name = written_name(image, _encoding(self._csv))
            seconds = "" if time is None else round(time, TIME_DIGITS)
            for number, face in enumerate(faces):
                row = [*csv_row(name, frame or 0, number, face), seconds]
                assessment = assessments[number] if assessments else Assessment()
                values = assessment.to_row(self._content.assessed)
                self._csv.write(csv_line([*row, *("" if v is None else v for v in values)]))
            self._csv.flush()

    def write_events(self, image: str, events: Sequence[Event]) -> None:
        """Append what happened in a video of this name."""
        if self._events:
            for event in events:
                _write_json({"image": written_name(image), **event.to_dict()}, self._events)


def csv_columns(names: Sequence[str], content: TableContent | None = None) -> list[str]:
    """The columns of the CSV file.

    Those of `edge.records.csv_header`; `time`, empty for still images; and what is assessed.

    Args:
        names: names of the keypoints, in order.
        content: what else the tables have; None for the defaults.
    """
    content = content or TableContent()
    return [*csv_header(names, content.points68), "time", *content.assessed]


@contextlib.contextmanager
def open_tables(
    names: Sequence[str],
    paths: TablePaths,
    inputs: Sequence[str],
    append: bool = False,
    content: TableContent | None = None,
) -> Iterator[Tables]:
    """Open the tables for writing.

    Args:
        names: names of the keypoints, in order.
        paths: of the tables.
        inputs: names of the sources, none of which is overwritten.
        append: continue existing files instead of replacing them.
        content: what else the tables have; None for the defaults.

    Raises:
        SourceError: a file cannot be written, is one of `inputs`, or two tables are one file.
    """
    used = [Path(name) for name in inputs if name != STDIO]
    with contextlib.ExitStack() as stack:
        files: list[TextIO | None] = []
        for path in (paths.json, paths.csv, paths.events):
            if not path or path == STDIO:
                files.append(sys.stdout if path else None)
                continue
            files.append(stack.enter_context(_open_text(Path(path), used, append)))
            used.append(Path(path))
        json_file, csv_file, events_file = files
        yield Tables(names, json_file, csv_file, content, events_file)


def _write_json(record: dict[str, Any], file: TextIO) -> None:
    escape = _encoding(file) != "utf-8"  # standard output may be anything
    print(json.dumps(record, ensure_ascii=escape, allow_nan=False), file=file)
    file.flush()


def _encoding(file: TextIO) -> str:
    """The name of a file's encoding as Python itself spells it."""
    return codecs.lookup(file.encoding or "utf-8").name


def _open_text(path: Path, used: Sequence[Path], append: bool) -> TextIO:
    if FileSet(used).contains(path):
        raise SourceError(f"{path}: is another input or output; choose another output")
    try:
        return path.open(
            "a" if append else "w",
            encoding="utf-8",
            errors="backslashreplace",  # names of files need not be valid UTF-8
            newline="",
        )
    except OSError as error:
        raise SourceError(f"{path}: cannot be written ({error.strerror})") from error
