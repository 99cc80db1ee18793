"""What a person names on the command line, as pictures one after another.

A source is a picture file, a folder, a pattern, a video, a camera, a file of crops, or `-`.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.cli.filenames import STDIO, VIDEO_SUFFIXES, is_image, is_video

_CAMERA = re.compile(r"camera:(\d+)\Z")


@dataclass(frozen=True, slots=True)
class Source:
    """One thing to look at.

    Attributes:
        kind: "picture", "video", "camera" or "crops"; "nothing" for a folder or a pattern without.
        name: what it is called in results: the path as found, `-`, or `camera:N`.
        number: of the camera.
    """

    kind: str
    name: str
    number: int = 0


def expand(words: Sequence[str], recursive: bool = False) -> list[Source]:
    """The sources that words on the command line name, in order.

    Args:
        words: paths of files and folders, patterns, `camera:N`, or `-`.
        recursive: whether folders are searched with their folders.
    """
    return [source for word in words for source in _expand_one(word, recursive)]


def _expand_one(word: str, recursive: bool) -> list[Source]:
    camera = _CAMERA.match(word)
    if camera:
        return [Source("camera", word, int(camera.group(1)))]
    path = Path(word)
    try:
        if word == STDIO or path.is_file():
            return [_of_file(word)]
        if path.is_dir():
            return _several(word, path.rglob("*") if recursive else path.glob("*"))
    except OSError:  # a name that is too long, say
        return [_of_file(word)]
    if glob.has_magic(word):
        return _several(word, (Path(match) for match in glob.glob(word, recursive=recursive)))
    return [_of_file(word)]  # what is missing is said when it is opened, so that the rest go on


def _several(word: str, paths: Iterator[Path]) -> list[Source]:
    files = sorted(path for path in paths if (is_image(path) or is_video(path)) and path.is_file())
    return [_of_file(str(path)) for path in files] or [Source("nothing", word)]


def _of_file(name: str) -> Source:
    suffix = Path(name).suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return Source("video", name)
    if suffix in (".npy", ".csv", ".zip"):
        return Source("crops", name)
    return Source("picture", name)
