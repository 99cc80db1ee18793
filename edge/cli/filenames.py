"""File names on the command line: which suffixes are images and videos, and which are results."""

from __future__ import annotations

import re
from pathlib import Path

IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm",
)  # fmt: skip
VIDEO_SUFFIXES = (
    ".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".ogv", ".3gp",
)  # fmt: skip
STDIO = "-"  # standard input or output
_ANNOTATED = re.compile(r"\.keypoints(-\d+)?\.\w+$")


def is_annotated_copy(path: Path) -> bool:
    """Whether a file is, by its name, the result of an earlier run beside its input."""
    return bool(_ANNOTATED.search(path.name))


def is_image(path: Path) -> bool:
    """Whether a file found in a folder is, by its name, an image to process."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not is_annotated_copy(path)


def is_video(path: Path) -> bool:
    """Whether a file found in a folder is, by its name, a video to process."""
    return path.suffix.lower() in VIDEO_SUFFIXES and not is_annotated_copy(path)
