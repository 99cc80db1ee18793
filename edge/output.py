"""Where a run's results go: annotated pictures, JSON lines and CSV rows."""

from __future__ import annotations

import contextlib
import csv
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from edge.errors import SourceError
from edge.face import Face
from edge.results import csv_header, csv_row, to_record

STDIO = "-"  # in place of a path: standard input or output
_KEPT_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")  # the others become .jpg


class PictureNames:
    """Chooses where each annotated picture goes: never over an input or another output."""

    def __init__(self, images: Sequence[str], output: str | None) -> None:
        """Plan for `images`; `output` is a file (for one), a folder, or None for beside each.

        Raises:
            SourceError: `output` is a file for several images, or is one of the images.
        """
        self._taken = {Path(image).resolve() for image in images if image != STDIO}
        self._file: Path | None = None
        self._folder: Path | None = None
        if output is None:
            return
        path = Path(output)
        if path.is_dir() or output.endswith("/") or (len(images) > 1 and not path.suffix):
            self._folder = path
        elif len(images) > 1:
            raise SourceError(f"{path}: cannot hold {len(images)} pictures; give a folder")
        elif path.resolve() in self._taken:
            raise SourceError(f"{path}: is the input; choose another name for the output")
        else:
            self._file = path

    def next(self, image: str) -> Path:
        """The path for the annotated copy of `image`; its folder exists afterwards.

        Raises:
            SourceError: the folder cannot be made.
        """
        source = Path("stdin.jpg" if image == STDIO else image)
        suffix = source.suffix if source.suffix.lower() in _KEPT_SUFFIXES else ".jpg"
        folder = self._folder or source.parent
        path, number = self._file or folder / f"{source.stem}.keypoints{suffix}", 2
        while path.resolve() in self._taken:
            path = folder / f"{source.stem}.keypoints-{number}{suffix}"
            number += 1
        self._taken.add(path.resolve())
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SourceError(f"{path.parent}: cannot be made ({error.strerror})") from error
        return path


class Tables:
    """JSON lines and CSV rows, written and flushed picture by picture."""

    def __init__(self, names: Sequence[str], json_file: TextIO | None, csv_file: TextIO | None):
        """Write the CSV header at once; either file may be None."""
        self._names, self._json, self._csv = names, json_file, csv_file
        if csv_file:
            csv.writer(csv_file, lineterminator="\n").writerow(csv_header(names))

    def write(self, image: str, width: int, height: int, faces: Sequence[Face]) -> None:
        """Add one picture's faces."""
        if self._json:
            record = to_record(image, width, height, faces, self._names)
            print(json.dumps(record, ensure_ascii=False), file=self._json, flush=True)
        if self._csv:
            rows = [csv_row(image, 0, number, face) for number, face in enumerate(faces)]
            csv.writer(self._csv, lineterminator="\n").writerows(rows)
            self._csv.flush()


@contextlib.contextmanager
def open_tables(
    names: Sequence[str], json_path: str | None, csv_path: str | None
) -> Iterator[Tables]:
    """Open the files for JSON and CSV (`-` for standard output, None for neither).

    Raises:
        SourceError: a file cannot be opened for writing.
    """
    with contextlib.ExitStack() as stack:
        files = [_open_text(path, stack) if path else None for path in (json_path, csv_path)]
        yield Tables(names, *files)


def _open_text(path: str, stack: contextlib.ExitStack) -> TextIO:
    if path == STDIO:
        return sys.stdout
    try:
        return stack.enter_context(Path(path).open("w", encoding="utf-8", newline=""))
    except OSError as error:
        raise SourceError(f"{path}: cannot be written ({error.strerror})") from error
