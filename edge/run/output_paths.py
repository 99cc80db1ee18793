"""Where a run's results go: annotated pictures, JSON lines and CSV rows."""

from __future__ import annotations

import contextlib
import csv
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from edge.cli.filenames import STDIO, VIDEO_SUFFIXES
from edge.errors import SourceError
from edge.face import Face
from edge.image_writer import check_suffix
from edge.records import csv_header, csv_row, to_record

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
        inputs = [Path(image) for image in images if image != STDIO]
        self._inputs = _Files(inputs)
        self._taken = {path.resolve() for path in (*inputs, *map(Path, tables))}
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
            if path.suffix.lower() not in VIDEO_SUFFIXES:
                check_suffix(path)
            self._file = path
            if path.resolve() in self._taken or self._inputs.has(path):
                raise SourceError(f"{path}: is read or written already; choose another output")

    def camera_file(self) -> Path | None:
        """Where a camera's video goes: only to a file that was named.

        Raises:
            SourceError: that file is no video.
        """
        self._check_kind(is_video=True)
        return self._file

    def next(self, image: str, is_video: bool = False) -> Path:
        """The path for the annotated copy of `image`; its folder exists afterwards.

        Its suffix is that of `image`, or .jpg or .mp4 where we do not write such files.

        Raises:
            SourceError: the folder cannot be made, or the file that was named is of another kind.
        """
        self._check_kind(is_video)
        source = Path("stdin.jpg" if image == STDIO else image)
        kept = source.suffix.lower() in _KEPT_SUFFIXES
        suffix = source.suffix if kept else (".mp4" if is_video else ".jpg")
        folder = self._folder or source.parent
        path, number = self._file or folder / f"{source.stem}.keypoints{suffix}", 2
        while path.resolve() in self._taken or self._inputs.has(path):
            path = folder / f"{source.stem}.keypoints-{number}{suffix}"
            number += 1
        self._taken.add(path.resolve())
        _make(path.parent)
        return path

    def _check_kind(self, is_video: bool) -> None:
        if self._file and is_video != (self._file.suffix.lower() in VIDEO_SUFFIXES):
            kind = "a video; use .mp4 or .avi" if is_video else "a picture; use .jpg or .png"
            raise SourceError(f"{self._file}: cannot hold {kind}")


class CropNames:
    """Chooses where each face that is cut out goes, in one folder: never over an input.

    A name follows from the inputs alone, so that a run that is continued chooses the same.
    """

    def __init__(self, folder: Path, images: Sequence[str]) -> None:
        """Plan for the faces of `images`, in `folder`, which is made when it is needed."""
        self._folder = folder
        here = [Path(i).name for i in images if Path(i).absolute().parent == folder.absolute()]
        taken = {name[: name.find(".face-")] for name in here if ".face-" in name}
        self._stems: dict[str, str] = {}
        for image in dict.fromkeys(images):
            stem = "stdin" if image == STDIO else Path(image).stem.replace(":", "-")
            chosen, number = stem, 2
            while chosen in taken:
                chosen, number = f"{stem}-{number}", number + 1
            taken.add(chosen)
            self._stems[image] = chosen

    def name(self, image: str, face: int, frame: int | None = None) -> Path:
        """The path for face number `face` of an image, or of a video's frame.

        Raises:
            SourceError: the folder cannot be made.
        """
        _make(self._folder)
        middle = "" if frame is None else f".frame-{frame:06}"
        return self._folder / f"{self._stems[image]}{middle}.face-{face}.png"


class _Files:
    """Files that must not be written to, under whatever name (a link, say)."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._known: set[tuple[int, int]] | None = None

    def has(self, path: Path) -> bool:
        try:
            identity = _identity(path)
        except (OSError, ValueError):
            return False  # nothing is there, so nothing is lost
        if self._known is None:
            self._known = set()
            for one in self._paths:
                with contextlib.suppress(OSError, ValueError):
                    self._known.add(_identity(one))
        return identity in self._known


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SourceError(f"{folder}: cannot be made ({error.strerror})") from error


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


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a run writes to.

    Attributes:
        tables: JSON lines and CSV rows.
        pictures: where annotated pictures go, or None for none.
        crops: where faces that are cut out go, or None for none.
    """

    tables: Tables
    pictures: PictureNames | None
    crops: CropNames | None


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
        if _Files(taken).has(target):
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
