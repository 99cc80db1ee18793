"""Whether a video file ends before the place that its own headers give."""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"  # RFC 8794, RFC 9559
_BOXES = (b"ftyp", b"moov", b"mdat", b"moof", b"free", b"wide", b"skip")  # ISO 14496-12


def is_truncated(file: BinaryIO) -> bool:
    """Whether an .mp4, .mov, .mkv, .webm or .avi file is shorter than its headers say.

    Args:
        file: seekable; its position is left as it was.

    Returns:
        False, too, for other formats and where the headers do not say.
    """
    position = file.tell()
    try:
        length = file.seek(0, os.SEEK_END)
        file.seek(0)
        head = file.read(12)
        if head[:4] == b"RIFF":
            size = struct.unpack_from("<I", head, 4)[0]
            return bool(size != 0xFFFFFFFF and 8 + size > length + 1)  # odd sizes are padded
        if head[:4] == _EBML:
            return _segment_end(file) > length
        return head[4:8] in _BOXES and _boxes_end(file, length) > length
    except struct.error:  # in the middle of a header
        return True
    finally:
        file.seek(position)


def _boxes_end(file: BinaryIO, length: int) -> int:
    """Where the last of the boxes ends that follow one another from the start of the file."""
    end = 0
    while end + 8 <= length:
        file.seek(end)
        size, name = struct.unpack(">I4s", file.read(8))
        if size == 1:
            size = struct.unpack(">Q", file.read(8))[0]
        if size < 8 or name not in _BOXES:  # the rest of the file, or a box of some other kind
            break
        end += size
    return end


def _segment_end(file: BinaryIO) -> int:
    """Where a Matroska file's segment ends; 0 if its size is not given."""
    file.seek(4)
    header = _vint(file)
    file.seek(header or 0, os.SEEK_CUR)
    if file.read(4) != _SEGMENT:
        return 0
    size = _vint(file)
    return 0 if size is None else file.tell() + size


def _vint(file: BinaryIO) -> int | None:
    """The size of an element (RFC 8794, section 4); None for an unknown size."""
    first = struct.unpack("B", file.read(1))[0]
    count = 9 - first.bit_length()  # bytes
    rest = file.read(count - 1)
    if count > 8 or len(rest) < count - 1:
        raise struct.error
    value = int.from_bytes(bytes([first]) + rest, "big")
    mask = (1 << 7 * count) - 1
    return None if value & mask == mask else value & mask
