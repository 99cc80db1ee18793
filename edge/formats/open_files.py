"""Files that a caller has opened."""

from __future__ import annotations

from typing import Any

from edge.errors import ImageError


def read_open(file: Any) -> bytes:
    """The rest of an open file; ImageError if it is open as text."""
    data = file.read()
    if not isinstance(data, bytes):
        raise ImageError("the file is open as text; expected it open in binary mode, with 'rb'")
    return data
