"""The paths of annotated copies and aligned faces: never those of an input or another output."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from edge.cli.filenames import STDIO, VIDEO_SUFFIXES
from edge.errors import SourceError
from edge.formats.image_writer import check_suffix

# Suffixes that the annotated copy shares with its source; other formats become .jpg or .mp4.
_IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv")


class FileSet:
    """A set of files, compared by device and inode, so that links to a file are in the set, too."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """The files at `paths`, of those that exist when `contains` is first called."""
        self._paths = paths
        self._identities: set[tuple[int, int]] | None = None

    def contains(self, path: Path) -> bool:
        """Whether a path leads to a file of the set; False if there is no file."""
        try:
            identity = _identity(path)
        except (OSError, ValueError):
            return False
        if self._identities is None:
            self._identities = set()
            for member in self._paths:
                with contextlib.suppress(OSError, ValueError):
                    self._identities.add(_identity(member))
        return identity in self._identities


class AnnotatedPaths:
    """Chooses the path of each annotated image or video.

    Attributes:
        to_stdout: whether the one annotated image goes to standard output instead of a file.
    """

    def __init__(self, sources: Sequence[str], output: str | None, tables: Sequence[str]) -> None:
        """Check the output against the inputs and the other outputs.

        Args:
            sources: names of all sources.
            output: a file, or `-` for standard output, for a single source; a folder, which is an
                existing one, ends in a slash or has no suffix; or None to write beside each source.
            tables: paths of the JSON and the CSV file.

        Raises:
            SourceError: `output` is a file for several sources, of an unknown format, or one of the
                sources or tables.
        """
        inputs = [Path(source) for source in sources if source != STDIO]
        self._inputs = FileSet(inputs)
        self._used = {path.resolve() for path in (*inputs, *map(Path, tables))}
        self._file: Path | None = None
        self._folder: Path | None = None
        self.to_stdout = output == STDIO
        if self.to_stdout:
            self._check_is_single(STDIO, len(sources))
        if output is None or self.to_stdout:
            return
        path = Path(output)
        if path.is_dir() or output.endswith("/") or not path.suffix:
            self._folder = path
        else:
            self._check_file(path, len(sources))
            self._file = path

    def camera_path(self) -> Path | None:
        """The path of a camera's annotated video, or None if no output file was named.

        Raises:
            SourceError: the output file is not a video.
        """
        self._check_file_type(is_video=True)
        return self._file

    def next(self, source: str, is_video: bool = False) -> Path:
        """Choose the path for the annotated copy of a source, and create its folder.

        Args:
            source: name of the source. The copy has its suffix, or .jpg or .mp4 if that format is
                not written.
            is_video: whether the source is a video.

        Raises:
            SourceError: the folder cannot be created, or the output file is not of this type.
        """
        self._check_file_type(is_video)
        named = Path("stdin" if source == STDIO else source)
        stem, suffix = named.stem, named.suffix
        if suffix.lower() not in (_VIDEO_SUFFIXES if is_video else _IMAGE_SUFFIXES):
            suffix = ".mp4" if is_video else ".jpg"
        folder = self._folder or named.parent
        path = self._file or folder / f"{stem}.keypoints{suffix}"
        number = 2
        while self._is_used(path):
            path = folder / f"{stem}.keypoints-{number}{suffix}"
            number += 1
        self._used.add(path.resolve())
        _create_folder(path.parent)
        return path

    def _check_file(self, path: Path, source_count: int) -> None:
        self._check_is_single(path, source_count)
        if path.suffix.lower() not in VIDEO_SUFFIXES:
            check_suffix(path)
        if self._is_used(path):
            raise SourceError(f"{path}: is another input or output; choose another output")

    def _check_is_single(self, output: Path | str, source_count: int) -> None:
        if source_count > 1:
            raise SourceError(
                f"{output}: cannot hold the annotated images of {source_count} sources; "
                "give a folder, ending in /"
            )

    def _is_used(self, path: Path) -> bool:
        return path.resolve() in self._used or self._inputs.contains(path)

    def _check_file_type(self, is_video: bool) -> None:
        if self.to_stdout and is_video:
            raise SourceError("-: standard output takes an annotated image, no video; name a file")
        if self._file and is_video != (self._file.suffix.lower() in VIDEO_SUFFIXES):
            expected = "a video; use .mp4 or .avi" if is_video else "an image; use .jpg or .png"
            raise SourceError(f"{self._file}: cannot hold {expected}")


class AlignedPaths:
    """Chooses the path of each aligned face, in one folder.

    A path depends on the names of the sources alone, so that a resumed run chooses the same.
    """

    def __init__(self, folder: Path, sources: Sequence[str]) -> None:
        """Choose a file name stem for each source.

        Args:
            folder: of the aligned faces; created with the first of them.
            sources: names of all sources; stems that sources in `folder` use are avoided.
        """
        self._folder = folder
        siblings = [Path(s).name for s in sources if Path(s).absolute().parent == folder.absolute()]
        used = {name[: name.find(".face-")] for name in siblings if ".face-" in name}
        self._stems: dict[str, str] = {}
        for source in dict.fromkeys(sources):
            stem = "stdin" if source == STDIO else Path(source).stem.replace(":", "-")
            unique, number = stem, 2
            while unique in used:
                unique, number = f"{stem}-{number}", number + 1
            used.add(unique)
            self._stems[source] = unique

    def path(self, source: str, face: int, frame: int | None = None) -> Path:
        """The path for one face, in a folder that exists.

        Args:
            source: name of the source.
            face: number of the face within the image, or of its track.
            frame: number of the frame, for a video.

        Raises:
            SourceError: the folder cannot be created.
        """
        _create_folder(self._folder)
        infix = "" if frame is None else f".frame-{frame:06}"
        return self._folder / f"{self._stems[source]}{infix}.face-{face}.png"


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _create_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SourceError(f"{folder}: cannot be created ({error.strerror})") from error
