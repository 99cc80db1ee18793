"""The JSON Lines file and the CSV file of a run, written and flushed image by image."""

from __future__ import annotations

import codecs
import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

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
    """The paths of the two tables: a file, `-` for standard output, or None for no table."""

    json: str | None = None
    csv: str | None = None

    @property
    def files(self) -> list[str]:
        """Those that are files."""
        return [path for path in (self.json, self.csv) if path and path != STDIO]

    @property
    def use_stdout(self) -> bool:
        """Whether one of them is standard output."""
        return STDIO in (self.json, self.csv)


class Tables:
    """The open tables."""

    def __init__(
        self,
        names: Sequence[str],
        json_file: TextIO | None,
        csv_file: TextIO | None,
        points68: bool = False,
        measuring: MeasureSettings | None = None,
    ) -> None:
        """Write the CSV header if that file is empty.

        Args:
            names: names of the keypoints, in order.
            json_file: open for writing, or None.
            csv_file: likewise.
            points68: whether the CSV has columns of the 68 points, which all faces have then.
            measuring: how the faces are measured; None for the defaults.
        """
        self._names = names
        self._measuring = measuring or MeasureSettings()
        self._json = json_file
        self._csv = csv_file
        if csv_file and not (csv_file.seekable() and csv_file.tell()):
            csv_file.write(csv_line(csv_columns(names, points68)))

    def write(
        self,
        image: str,
        size: tuple[int, int],
        faces: Sequence[Face],
        frame: int | None = None,
        time: float | None = None,
    ) -> None:
        """Append the faces of one image; arguments as `edge.records.to_record`.

        Args:
            image: name of the image; the tables hold it as `written_name` gives it.
            size: its width and height, px.
            faces: the faces in it.
            frame: number of the frame or crop, for a file of several.
            time: when the frame is shown, seconds after the first of the video.
        """
        if self._json:
            name = written_name(image)
            record = to_record(name, *size, faces, self._names, frame, time, self._measuring)
            escape = _encoding(self._json) != "utf-8"  # standard output may be anything
            print(json.dumps(record, ensure_ascii=escape, allow_nan=False), file=self._json)
            self._json.flush()
        if self._csv:
            name = written_name(image, _encoding(self._csv))
            seconds = "" if time is None else round(time, TIME_DIGITS)
            rows = (
                [*csv_row(name, frame or 0, number, face), seconds]
                for number, face in enumerate(faces)
            )
            self._csv.writelines(map(csv_line, rows))
            self._csv.flush()


def csv_columns(names: Sequence[str], points68: bool = False) -> list[str]:
    """The columns of the CSV file: `edge.records.csv_header`, and `time`, empty for still images.

    Args:
        names: names of the keypoints, in order.
        points68: whether there are columns of the 68 points.
    """
    return [*csv_header(names, points68), "time"]


@contextlib.contextmanager
def open_tables(
    names: Sequence[str],
    paths: TablePaths,
    inputs: Sequence[str],
    append: bool = False,
    points68: bool = False,
    measuring: MeasureSettings | None = None,
) -> Iterator[Tables]:
    """Open the tables for writing.

    Args:
        names: names of the keypoints, in order.
        paths: of the tables.
        inputs: names of the sources, none of which is overwritten.
        append: continue existing files instead of replacing them.
        points68: whether the CSV has columns of the 68 points.
        measuring: how the faces are measured; None for the defaults.

    Raises:
        SourceError: a file cannot be written, is one of `inputs`, or both tables are one file.
    """
    used = [Path(name) for name in inputs if name != STDIO]
    with contextlib.ExitStack() as stack:
        files: list[TextIO | None] = []
        for path in (paths.json, paths.csv):
            if not path or path == STDIO:
                files.append(sys.stdout if path else None)
                continue
            files.append(stack.enter_context(_open_text(Path(path), used, append)))
            used.append(Path(path))
        json_file, csv_file = files
        yield Tables(names, json_file, csv_file, points68, measuring)


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
