"""The mark in files that this program writes, by which it leaves them out of a folder.

Wherever a copy is written and whatever it is called, it is no source of the next run. The mark is
in the EXIF field `Software`, a comment, or the metadata of a video: another program that edits the
file may remove it. BMP, PPM and other formats without such a field have none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import ExifTags, Image

MARK = "Faces marked or changed by edge-keypoints"
_ENCODED = (MARK.encode(), MARK.encode("utf-16-le"))  # the second in WMV
_REACH = 8192  # bytes from the beginning and from the end, where formats keep their metadata


def image_metadata() -> dict[str, Any]:
    """The arguments of Pillow's `save` with which any format that can hold the mark has it."""
    exif = Image.Exif()
    exif[ExifTags.Base.Software] = MARK
    return {"exif": exif, "comment": MARK}


def is_marked(path: Path) -> bool:
    """Whether a file has the mark; False where it cannot be read."""
    try:
        if not path.is_file():  # a named pipe
            return False
        with path.open("rb") as file:
            head = file.read(_REACH)
            file.seek(max(file.seek(0, 2) - _REACH, 0))
            ends = head, file.read()
    except (OSError, ValueError):
        return False
    return any(mark in end for mark in _ENCODED for end in ends)
