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
from edge.sources import STDIO, VIDEOS

_KEPT_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".mp4", ".avi", ".mov", ".mkv")


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
            if path.suffix.lower() not in VIDEOS:
                check_suffix(path)
            self._file = path
            if path.resolve() in self._taken or _is_one_of(path, self._inputs):
                raise SourceError(f"{path}: is read or written already; choose another output")

    def camera_file(self) -> Path | None:
        """Where a camera's video goes: only to a file that was named."""
        return self._file

    def next(self, image: str, otherwise: str = ".jpg") -> Path:
        """The path for the annotated copy of `image`; its folder exists afterwards.

        Its suffix is that of `image`, or `otherwise` where we do not write such files.

        Raises:
            SourceError: the folder cannot be made.
        """
        source = Path("stdin.jpg" if image == STDIO else image)
        suffix = source.suffix if source.suffix.lower() in _KEPT_SUFFIXES else otherwise
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


class CropNames:
    """Chooses where each face that is cut out goes, in one folder."""

    def __init__(self, folder: Path) -> None:
        """Write into `folder`, which is made."""
        self._folder = folder
        self._taken: set[str] = set()

    def next(self, name: str) -> Path:
        """The path for a face called `name`; of two pictures of one name, the second gets a number.

        Raises:
            SourceError: the folder cannot be made.
        """
        chosen, number = name, 2
        while chosen in self._taken:
            chosen, number = f"{name}-{number}", number + 1
        self._taken.add(chosen)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SourceError(f"{self._folder}: cannot be made ({error.strerror})") from error
        return self._folder / f"{chosen}.png"


def _is_one_of(path: Path, others: Sequence[Path]) -> bool:
    """Whether writing `path` would change one of `others`, perhaps under another name (a link)."""
    return path.exists() and any(one.exists() and path.samefile(one) for one in others)


class Tables:
    """JSON lines and CSV rows, written and flushed picture by picture."""

    def __init__(self, names: Sequence[str], json_file: TextIO | None, csv_file: TextIO | None):
        """Write the CSV header at once, in an empty file; either file may be None."""
        self._names, self._json, self._csv = names, json_file, csv_file
        if csv_file and not (csv_file.seekable() and csv_file.tell()):
            csv.writer(csv_file, lineterminator="\n").writerow(csv_header(names))

    def write(
        self,
        image: str,
        size: tuple[int, int],
        faces: Sequence[Face],
        frame: int | None = None,
        time: float | None = None,
    ) -> None:
        """Add one picture's faces; `size` is its width and height, px."""
        if self._json:
            record = to_record(image, *size, faces, self._names, frame, time)
            line = json.dumps(record, ensure_ascii=False, allow_nan=False)
            print(line, file=self._json, flush=True)
        if self._csv:
            rows = [csv_row(image, frame or 0, number, face) for number, face in enumerate(faces)]
            csv.writer(self._csv, lineterminator="\n").writerows(rows)
            self._csv.flush()


@contextlib.contextmanager
def open_tables(
    names: Sequence[str],
    json_path: str | None,
    csv_path: str | None,
    inputs: Sequence[str],
    append: bool = False,
) -> Iterator[Tables]:
    """Open the files for JSON and CSV (`-` for standard output, None for neither).

    What is there is replaced, or with `append` continued.

    Raises:
        SourceError: a file cannot be opened for writing, is one of `inputs`, or both are the same.
    """
    taken = [Path(image) for image in inputs if image != STDIO]
    with contextlib.ExitStack() as stack:
        files = []
        for path in (json_path, csv_path):
            files.append(_open_text(path, taken, stack, append) if path else None)
            taken += [Path(path)] if path and path != STDIO else []
        yield Tables(names, *files)


def _open_text(
    path: str, taken: Sequence[Path], stack: contextlib.ExitStack, append: bool
) -> TextIO:
    if path == STDIO:
        return sys.stdout
    target = Path(path)
    try:
        if _is_one_of(target, taken):
            raise SourceError(f"{path}: is read or written already; choose another output")
        # Names of files need not be valid text.
        return stack.enter_context(
            target.open(
                "a" if append else "w", encoding="utf-8", errors="backslashreplace", newline=""
            )
        )
    except OSError as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"{path}: cannot be written ({error.strerror})") from error
