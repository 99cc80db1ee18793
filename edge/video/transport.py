"""Which frames of a transport stream are damaged, by the counters of its packets.

FFmpeg flags a frame where the counters break (ISO/IEC 13818-1, 2.4.3), mostly the one before the
damaged one, as that ends only where the next begins; and where two streams were joined and nothing
is lost. At a joint the counters of several streams break at once, at tables, and each stream goes
on with the start of a frame.

Legend: P packets.
"""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

_SYNC = 0x47
_STEPS = (188, 192, 204)  # bytes, of .ts, of .m2ts with its time code, and of DVB with parity
_TABLES = (0x00, 0x11)  # packet identifiers of the program association and service descriptions
_PADDING = 0x1FFF
_BEFORE = 1 << 21  # bytes in which the counters before the joint are looked for
_AFTER = 1 << 23  # bytes that hold a frame and what follows it

Flags = NDArray[np.bool_]  # (P,)
Numbers = NDArray[np.int64]  # (P,)


class Recent:
    """A stream that cannot be read twice, of which the last few megabytes are kept."""

    def __init__(self, file: BinaryIO) -> None:
        """Read from `file`."""
        self._file = file
        self._kept = bytearray()
        self._position = 0  # of the first byte that is kept

    def read(self, size: int = -1) -> bytes:
        """As of the file."""
        data = self._file.read(size)
        self._kept += data
        if len(self._kept) > 2 * (_BEFORE + _AFTER):
            excess = len(self._kept) - (_BEFORE + _AFTER)
            del self._kept[:excess]
            self._position += excess
        return data

    def close(self) -> None:
        """Close the stream, if it can be closed."""
        if hasattr(self._file, "close"):
            self._file.close()

    def around(self, position: int) -> tuple[bytes, int]:
        """The bytes around a position, and where it is in them."""
        place = position - self._position
        start = max(0, place - _BEFORE)
        return bytes(self._kept[start : place + _AFTER]), place - start


def is_damaged(file: BinaryIO | Recent, position: int | None) -> bool | None:
    """Whether packets of the frame that begins at a position are missing or failed.

    Args:
        file: a transport stream; its position is left as it was.
        position: of the frame in the file; None if it is not known.

    Returns:
        None if it cannot be told, as of the last frame.
    """
    if position is None or position < 0:
        return None
    data, place = file.around(position) if isinstance(file, Recent) else _around(file, position)
    headers = _headers(data, place)
    return None if headers is None else headers.is_damaged()


def _around(file: BinaryIO, position: int) -> tuple[bytes, int]:
    before = file.tell()
    try:
        start = max(0, position - _BEFORE)
        file.seek(start)
        return file.read(position - start + _AFTER), position - start
    finally:
        file.seek(before)


def _headers(data: bytes, place: int) -> _Headers | None:
    """The headers of the packets in `data`, of which one begins at `place` or a few bytes on."""
    for step in _STEPS:
        for first in range(place, min(place + 8, len(data) - 2 * step)):
            if all(data[first + i * step] == _SYNC for i in range(3)):
                start = first % step
                count = (len(data) - start) // step
                packets = np.frombuffer(data, np.uint8, count * step, start).reshape(count, step)
                return _Headers(packets[:, :6].astype(np.int64), first // step)
    return None


class _Headers:
    """The headers of successive packets that carry data, and which of them begins a frame."""

    def __init__(self, heads: Numbers, first: int) -> None:
        """Of `heads`, `(P, 6)` bytes each, the frame begins in packet `first`."""
        carries = (heads[:, 3] & 0x10) > 0
        self._first = int(carries[:first].sum())
        heads = heads[carries]
        self._streams: Numbers = (heads[:, 1] & 0x1F) << 8 | heads[:, 2]
        self._starts: Flags = (heads[:, 1] & 0x40) > 0
        self._failed: Flags = (heads[:, 1] & 0x80) > 0
        self._counts: Numbers = heads[:, 3] & 15
        # A break may be announced in the adaptation field.
        has_field = ((heads[:, 3] & 0x20) > 0) & (heads[:, 4] > 0)
        self._announced: Flags = has_field & ((heads[:, 5] & 0x80) > 0)

    def is_damaged(self) -> bool | None:
        """Whether packets of the frame are missing or failed; None if it does not end here."""
        own = np.flatnonzero(self._streams == self._streams[self._first])
        own = own[own >= self._first]
        following = own[1:][self._starts[own[1:]]]
        if not len(following):
            return None
        frame, end = own[own < following[0]], int(following[0])
        if self._failed[frame].any() or self._breaks(frame).any():
            return True
        if not self._breaks(np.array([frame[-1], end])).any():
            return False
        tables = np.isin(self._streams, _TABLES) & self._starts
        between = np.flatnonzero(tables[frame[-1] : end]) + frame[-1]
        return not any(self._is_joint(int(place)) for place in between)

    def _breaks(self, packets: Numbers) -> Flags:
        """Where the counters of successive packets of one stream break, one fewer than those."""
        steps = np.diff(self._counts[packets]) % 16
        return np.asarray((steps != 1) & ~self._announced[packets[1:]])

    def _is_joint(self, place: int) -> bool:
        """Whether every stream begins anew at a place, and the counters of several break."""
        breaks = 0
        for stream in np.unique(self._streams[place:]):
            if stream == _PADDING:
                continue
            packets = np.flatnonzero(self._streams == stream)
            index = int(np.searchsorted(packets, place))
            if not self._starts[packets[index]]:
                return False
            breaks += bool(self._breaks(packets[max(0, index - 1) : index + 1]).any())
        return breaks > 1
