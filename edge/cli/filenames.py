"""File names on the command line: suffixes of images and videos, results, and system files."""

from __future__ import annotations

import re
from pathlib import Path

# What a file is by its name, where its content cannot be asked: damaged, or far away.
IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm",
    ".pgm", ".avif", ".heic", ".heif", ".jp2", ".mpo",
)  # fmt: skip
VIDEO_SUFFIXES = (
    ".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".ogv", ".3gp", ".h264",
    ".h265", ".hevc", ".264", ".265", ".ts", ".mts", ".m2ts", ".wmv", ".asf", ".flv", ".mjpeg",
    ".mjpg", ".vob", ".mxf", ".h261", ".261", ".h263", ".263", ".vc1", ".swf",
)  # fmt: skip
# Pillow opens some raw images as TIFF, and finds a thumbnail of a few hundred pixels.
RAW_SUFFIXES = (
    ".dng", ".cr2", ".cr3", ".nef", ".nrw", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw",
)  # fmt: skip
STDIO = "-"  # standard input or output
_RESULT = re.compile(r"\.keypoints(-\d+)?\.\w+$|\.face-\d+\.png$")
# What systems and network drives keep beside photos: thumbnails, waste bins, metadata.
_SYSTEM_NAMES = {
    "thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir", "#recycle", "$recycle.bin",
    "system volume information", "lost+found",
}  # fmt: skip


def is_result(path: Path) -> bool:
    """Whether a file is, by its name, an annotated copy or an aligned face of an earlier run."""
    return bool(_RESULT.search(path.name))


def is_system_name(name: str) -> bool:
    """Whether a file or folder is hidden, as a Mac's `._photo.jpg` is, or a system's own."""
    return name.startswith(".") or name.lower() in _SYSTEM_NAMES


def is_image_name(path: Path) -> bool:
    """Whether a file is an image by its name."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def is_video_name(path: Path) -> bool:
    """Whether a file is a video by its name."""
    return path.suffix.lower() in VIDEO_SUFFIXES
