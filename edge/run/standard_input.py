"""Standard input: an image, or a video as a camera's program writes it, told by its first bytes."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import BinaryIO

from edge.formats.kinds import HEAD_SIZE, FileKind, kind_of

_START, _END, _SCAN = 0xD8, 0xD9, 0xDA  # markers of JPEG (ITU-T T.81, table B.1)
_MULTI_PICTURE = b"MPF\x00"  # several images of one photo, as some cameras write it (CIPA DC-007)


class StandardInput:
    """A binary stream whose beginning can be looked at before it is read."""

    def __init__(self, stream: BinaryIO) -> None:
        """Read from `stream`, which need not be seekable."""
        self._stream = stream
        self._ahead = b""  # looked at and not yet read
        self._kind: FileKind | None = None

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, as soon as there are some; all there are if it is negative."""
        if size < 0:
            data, self._ahead = self._ahead + self._stream.read(), b""
            return data
        if not self._ahead:
            return self._stream.read(size)
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        return data

    def kind(self) -> FileKind:
        """What it is; successive JPEG images are a video (Motion JPEG)."""
        if self._kind is None:
            while len(self._ahead) < HEAD_SIZE and self._look_further():
                pass
            self._kind = kind_of(self._ahead, "")
            if self._kind == "image" and self._is_motion_jpeg():
                self._kind = "video"
        return self._kind

    def _is_motion_jpeg(self) -> bool:
        if self._ahead[:2] != bytes([0xFF, _START]):
            return False
        while (end := jpeg_length(self._ahead)) is None or len(self._ahead) < end + 2:
            if not self._look_further():
                return False
        is_photo = _MULTI_PICTURE in self._ahead[:end]
        return not is_photo and self._ahead[end : end + 2] == bytes([0xFF, _START])

    def _look_further(self) -> bool:
        """Look at more of the stream; returns whether there was more."""
        more = self._stream.read1(1 << 16)  # type: ignore[attr-defined]  # of buffered streams
        self._ahead += more
        return bool(more)


def standard_input() -> StandardInput:
    """The process's standard input, always the same object."""
    return _wrap(sys.stdin.buffer)


@lru_cache(maxsize=1)
def _wrap(stream: BinaryIO) -> StandardInput:
    return StandardInput(stream)


def jpeg_length(data: bytes) -> int | None:
    """The length of the JPEG image that begins `data`, bytes; None if it goes on beyond."""
    place = 2  # after the start of the image
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            return place  # no JPEG any more
        marker = data[place + 1]
        if marker == _END:
            return place + 2
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        if marker == _SCAN:
            place = _scan_end(data, place)
    if data[place : place + 2] == bytes([0xFF, _END]):
        return place + 2
    return None


def _scan_end(data: bytes, place: int) -> int:
    """Where the next marker is after entropy-coded data; the end of `data` if it goes on beyond."""
    while (place := data.find(b"\xff", place)) >= 0 and place + 1 < len(data):
        following = data[place + 1]
        if following != 0 and not 0xD0 <= following <= 0xD7:  # stuffing, restarts
            return place
        place += 2
    return len(data)
