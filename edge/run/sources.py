"""The sources on the command line: files, folders, patterns, cameras and standard input."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge.cli.file_kinds import kind_of_file, media_kind
from edge.cli.filenames import STDIO
from edge.cli.folders import Skipped, list_folder, list_pattern
from edge.run.standard_input import standard_input
from edge.video.capture import pi_camera_number
from edge.video.stream import is_address, public_name

SourceKind = Literal["image", "video", "camera", "pi", "stream", "crops", "empty"]

_CAMERA = re.compile(r"(?:camera:|/dev/video)(\d+)\Z")
_PARQUET = "is a table of photos; edge-keypoints bulk (python -m edge.bulk) processes it"
_CROP_SUFFIXES = (".npy", ".csv", ".zip")


@dataclass(frozen=True, slots=True)
class Source:
    """One file or camera to process.

    Attributes:
        kind: how it is read; "pi" is a Raspberry Pi's own camera; "empty" is a folder or a pattern
            in which nothing can be processed.
        name: its name in the results: the path as given or found, `-`, `camera:N`, `camera:pi`,
            or an address without its password.
        number: number of the camera.
        reason: why nothing can be processed, of kind "empty".
        address: of a stream.
    """

    kind: SourceKind
    name: str
    number: int = 0
    reason: str = ""
    address: str = ""


def expand(
    arguments: Sequence[str], recursive: bool = False, messages: list[str] | None = None
) -> list[Source]:
    """Expand folders and patterns; returns the sources in order.

    Args:
        arguments: paths of files and folders, patterns, `camera:N`, `camera:pi`, addresses, or `-`.
            A path that does not exist is a source, too: opening it fails, and the others are
            processed.
        recursive: whether folders are searched with their subfolders.
        messages: receives a line for each reason why files of a folder or pattern are skipped.
    """
    messages = [] if messages is None else messages
    return [
        source for argument in arguments for source in _expand_one(argument, recursive, messages)
    ]


def _expand_one(argument: str, recursive: bool, messages: list[str]) -> list[Source]:
    camera = _CAMERA.match(argument)
    if camera:
        return [Source("camera", argument, int(camera.group(1)))]
    pi_camera = pi_camera_number(argument)
    if pi_camera is not None:
        return [Source("pi", argument, pi_camera)]
    if is_address(argument):
        return [Source("stream", public_name(argument), address=argument)]
    path = Path(argument)
    try:
        if argument == STDIO or path.is_file():
            return [_file_source(argument)]
        if path.is_dir():
            return _folder_sources(argument, recursive, messages)
    except OSError:  # for example a name that is too long
        return [_file_source(argument)]
    if glob.has_magic(argument):
        return _pattern_sources(argument, recursive, messages)
    return [_file_source(argument)]


def _folder_sources(argument: str, recursive: bool, messages: list[str]) -> list[Source]:
    listing = list_folder(Path(argument), recursive)
    sources = _media(listing.files, listing.skipped)
    messages += listing.skipped.messages(argument)
    unread = [Source("empty", argument, reason=problem) for problem in listing.problems]
    if sources and listing.subfolders:
        messages.append(f"{argument}: skipped subfolders without --recursive: {listing.subfolders}")
    if sources or unread:
        return sources + unread
    hint = (
        f"; --recursive searches its {listing.subfolders} subfolders" if listing.subfolders else ""
    )
    return [Source("empty", argument, reason=f"contains no image or video{hint}")]


def _pattern_sources(argument: str, recursive: bool, messages: list[str]) -> list[Source]:
    listing = list_pattern(argument, recursive)
    sources = _media(listing.files, listing.skipped)
    messages += listing.skipped.messages(argument)
    unread = [Source("empty", argument, reason=problem) for problem in listing.problems]
    return sources + unread or [Source("empty", argument, reason="matches no image or video")]


def _media(files: Iterable[Path], skipped: Skipped) -> list[Source]:
    sources = []
    for path in files:
        kind = media_kind(path, skipped)
        if kind in ("image", "video"):
            sources.append(Source(kind, str(path)))
    return sources


def _file_source(name: str) -> Source:
    """A file that was named: what cannot be told is an image, whose error says what it is."""
    kind = kind_of_file(Path(name)) if name != STDIO else standard_input().kind()
    if kind == "video":
        return Source("video", name)
    if Path(name).suffix.lower() == ".parquet" and Path(name).is_file():
        return Source("empty", name, reason=_PARQUET)
    if (name != STDIO and kind == "crops") or Path(name).suffix.lower() in _CROP_SUFFIXES:
        return Source("crops", name)
    return Source("image", name)
