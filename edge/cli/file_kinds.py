"""Whether a file is an image or a video: its content decides, and its name where that fails."""

from __future__ import annotations

from pathlib import Path

from edge.cli.filenames import RAW_SUFFIXES, is_image_name, is_video_name
from edge.cli.folders import RESULTS, Skipped
from edge.formats.kinds import HEAD_SIZE, FileKind, kind_of
from edge.formats.marks import is_marked

_RAW = "raw images of cameras, which are not supported"
_OTHERS = "files that are no images or videos"


def kind_of_file(path: Path) -> FileKind:
    """The kind of a file by its content; of one that is damaged, empty or gone, by its name."""
    kind = kind_of(_read_head(path), path.name)
    if kind != "other":
        return kind
    if is_video_name(path):
        return "video"
    return "image" if is_image_name(path) else "other"


def media_kind(path: Path, skipped: Skipped) -> FileKind | None:
    """Whether a file that was found in a folder is an "image" or a "video"; None if neither.

    A file whose name says that it is one is taken, however damaged it is, so that it is reported;
    a result of this program under any name is not (`edge.formats.marks`).
    """
    kind = kind_of_file(path)
    if path.suffix.lower() in RAW_SUFFIXES:
        skipped.add(_RAW, path)
    elif kind in ("image", "video"):
        if not is_marked(path):
            return kind
        skipped.add(RESULTS, path)
    else:
        skipped.add(_OTHERS, path)
    return None


def _read_head(path: Path) -> bytes:
    try:
        if not path.is_file():  # reading a named pipe would take from what it holds
            return b""
        with path.open("rb") as file:
            return file.read(HEAD_SIZE)
    except (OSError, ValueError):
        return b""
