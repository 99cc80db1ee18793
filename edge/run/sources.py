"""The sources on the command line: files, folders, patterns, cameras and standard input."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge.cli.filenames import STDIO, VIDEO_SUFFIXES, is_image, is_video

SourceKind = Literal["image", "video", "camera", "crops", "empty"]

_CAMERA = re.compile(r"camera:(\d+)\Z")
_CROP_SUFFIXES = (".npy", ".csv", ".zip")


@dataclass(frozen=True, slots=True)
class Source:
    """One file or camera to process.

    Attributes:
        kind: how it is read; "empty" is a folder or a pattern without any image or video.
        name: its name in the results: the path as given or found, `-`, or `camera:N`.
        number: number of the camera.
    """

    kind: SourceKind
    name: str
    number: int = 0


def expand(arguments: Sequence[str], recursive: bool = False) -> list[Source]:
    """Expand folders and patterns; returns the sources in order.

    Args:
        arguments: paths of files and folders, patterns, `camera:N`, or `-`. A path that does not
            exist is a source, too: opening it fails, and the others are processed.
        recursive: whether folders are searched with their subfolders.
    """
    return [source for argument in arguments for source in _expand_one(argument, recursive)]


def _expand_one(argument: str, recursive: bool) -> list[Source]:
    camera = _CAMERA.match(argument)
    if camera:
        return [Source("camera", argument, int(camera.group(1)))]
    path = Path(argument)
    try:
        if argument == STDIO or path.is_file():
            return [_file_source(argument)]
        if path.is_dir():
            return _file_sources(argument, path.rglob("*") if recursive else path.glob("*"))
    except OSError:  # for example a name that is too long
        return [_file_source(argument)]
    if glob.has_magic(argument):
        return _file_sources(argument, map(Path, glob.glob(argument, recursive=recursive)))
    return [_file_source(argument)]


def _file_sources(argument: str, paths: Iterable[Path]) -> list[Source]:
    files = sorted(path for path in paths if (is_image(path) or is_video(path)) and path.is_file())
    return [_file_source(str(path)) for path in files] or [Source("empty", argument)]


def _file_source(name: str) -> Source:
    suffix = Path(name).suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return Source("video", name)
    if suffix in _CROP_SUFFIXES:
        return Source("crops", name)
    return Source("image", name)
