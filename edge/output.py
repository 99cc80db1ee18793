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
from edge.image import check_suffix
from edge.results import csv_header, csv_row, to_record

STDIO = "-"  # in place of a path: standard input or output
_KEPT_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")  # the others become .jpg


class PictureNames:
    """Chooses where each annotated picture goes: never over an input or another output."""

    def __init__(self, images: Sequence[str], output: str | None, tables: Sequence[str]) -> None:
        """Plan for `images`; `output` is a file (for one), a folder, or None for beside each.

        `tables` are the paths of the JSON and the CSV file. A path without a suffix is a folder.

        Raises:
            SourceError: `output` is a file for several images, or of no known format, or it is one
                of the inputs or of the tables.
        """
        self._inputs = [Path(image) for image in images if image != STDIO]
        self._taken = {path.resolve() for path in (*self._inputs, *map(Path, tables))}
        self._file: Path | None = None
        self._folder: Path | None = None
        if output is None:
            return
        path = Path(output)
        if path.is_dir() or output.endswith("/") or not path.suffix:
            self._folder = path
        elif len(images) > 1:
            raise SourceError(
                f"{path}: cannot hold {len(images)} pictures; give a folder, ending in /"
            )
        else:
            check_suffix(path)
            self._file = path
            if path.resolve() in self._taken or _is_one_of(path, self._inputs):
                raise SourceError(f"{path}: is read or written already; choose another output")

    def next(self, image: str) -> Path:
        """The path for the annotated copy of `image`; its folder exists afterwards.

        Raises:
            SourceError: the folder cannot be made.
        """
        source = Path("stdin.jpg" if image == STDIO else image)
        suffix = source.suffix if source.suffix.lower() in _KEPT_SUFFIXES else ".jpg"
        folder = self._folder or source.parent
        path, number = self._file or folder / f"{source.stem}.keypoints{suffix}", 2
        while path.resolve() in self._taken or _is_one_of(path, self._inputs):
            path = folder / f"{source.stem}.keypoints-{number}{suffix}"
            number += 1
        self._taken.add(path.resolve())
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SourceError(f"{path.parent}: cannot be made ({error.strerror})") from error
        return path


def _is_one_of(path: Path, others: Sequence[Path]) -> bool:
    """Whether writing `path` would change one of `others`, perhaps under another name (a link)."""
    return path.exists() and any(one.exists() and path.samefile(one) for one in others)


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
            line = json.dumps(record, ensure_ascii=False, allow_nan=False)
            print(line, file=self._json, flush=True)
        if self._csv:
            rows = [csv_row(image, 0, number, face) for number, face in enumerate(faces)]
            csv.writer(self._csv, lineterminator="\n").writerows(rows)
            self._csv.flush()


@contextlib.contextmanager
def open_tables(
    names: Sequence[str], json_path: str | None, csv_path: str | None, inputs: Sequence[str]
) -> Iterator[Tables]:
    """Open the files for JSON and CSV (`-` for standard output, None for neither).

    Raises:
        SourceError: a file cannot be opened for writing, is one of `inputs`, or both are the same.
    """
    taken = [Path(image) for image in inputs if image != STDIO]
    with contextlib.ExitStack() as stack:
        files = []
        for path in (json_path, csv_path):
            files.append(_open_text(path, taken, stack) if path else None)
            taken += [Path(path)] if path and path != STDIO else []
        yield Tables(names, *files)


def _open_text(path: str, taken: Sequence[Path], stack: contextlib.ExitStack) -> TextIO:
    if path == STDIO:
        return sys.stdout
    target = Path(path)
    try:
        if _is_one_of(target, taken):
            raise SourceError(f"{path}: is read or written already; choose another output")
        # Names of files need not be valid text.
        return stack.enter_context(
            target.open("w", encoding="utf-8", errors="backslashreplace", newline="")
        )
    except OSError as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"{path}: cannot be written ({error.strerror})") from error
