"""Whether a video file ends before the place that its own headers give."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"  # RFC 8794, RFC 9559
# ISO 14496-12, among them those of fragments.
_BOXES = (
    b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"sidx", b"ssix", b"emsg", b"prft", b"pdin",
    b"mfra", b"meta", b"udta", b"uuid", b"free", b"wide", b"skip", b"pnot", b"PICT",
)  # fmt: skip
# Of the objects of .wmv and .asf (Advanced Systems Format, 10.1 and 10.2).
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_FIELDS = struct.Struct("<16xQ8xQQ8xQI")  # file size, packets, time, preroll, flags
_ASF_LIVE = 1  # a flag: sizes and times are not known


@dataclass(frozen=True, slots=True)
class Extent:
    """What a file's headers say of its size.

    Attributes:
        is_truncated: whether it is shorter; False where the headers do not say.
        seconds: how long the film is, where libavformat does not read it of a short file; else 0.
    """

    is_truncated: bool = False
    seconds: float = 0.0


def extent_of(file: BinaryIO) -> Extent:
    """What the headers of an .mp4, .mov, .mkv, .webm, .avi or .wmv file say of its size.

    Args:
        file: seekable; its position is left as it was.
    """
    position = file.tell()
    try:
        length = file.seek(0, os.SEEK_END)
        file.seek(0)
        head = file.read(16)
        if head == _ASF_HEADER:
            return _asf_extent(file, length)
        return Extent(_is_truncated(file, head, length))
    except struct.error:  # in the middle of a header
        return Extent(is_truncated=True)
    finally:
        file.seek(position)


def _is_truncated(file: BinaryIO, head: bytes, length: int) -> bool:
    if head[:4] == b"RIFF":
        size = struct.unpack_from("<I", head, 4)[0]
        return bool(size != 0xFFFFFFFF and 8 + size > length + 1)  # odd sizes are padded
    if head[:4] == _EBML:
        return _segment_end(file) > length
    return head[4:8] in _BOXES and _boxes_end(file, length) > length


def _asf_extent(file: BinaryIO, length: int) -> Extent:
    size, count = struct.unpack("<QI2x", file.read(14))
    for _ in range(min(count, size // 24)):
        start = file.tell()
        name, size = struct.unpack("<16sQ", file.read(24))
        if name == _ASF_FILE:
            size, packets, time, preroll, flags = _ASF_FIELDS.unpack(file.read(_ASF_FIELDS.size))
            if flags & _ASF_LIVE or not packets:
                return Extent()
            return Extent(size > length, max(0.0, time / 1e7 - preroll / 1e3))
        file.seek(start + max(size, 24))
    return Extent()


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
