"""The photos of a folder, as `edge.run` finds them."""

from __future__ import annotations

from pathlib import Path

from edge.cli.file_kinds import kind_of_file
from edge.cli.folders import list_folder


def list_photos(folder: Path) -> list[Path]:
    """The images in a folder, by their content, sorted.

    Hidden and system files, as a Mac's `._photo.jpg`, and results of `edge.run` are left out; a
    folder that cannot be read has none.
    """
    files = list_folder(folder, recursive=False).files
    return [path for path in files if kind_of_file(path) == "image"]
