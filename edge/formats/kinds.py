"""The kind of a file, told by its first bytes: cameras and programs name files as they like.

The signatures are those of the formats' specifications; ISO base media files (MP4, MOV, HEIC, AVIF)
are told apart by their brands, ISO/IEC 14496-12 and 23008-12.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

FileKind = Literal["image", "video", "crops", "audio", "other"]
HEAD_SIZE = 4096  # bytes from the beginning that suffice

_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"mif2"}
_AVIF_BRANDS = {b"avif", b"avis"}
_AUDIO_BRANDS = {b"M4A ", b"M4B ", b"M4P "}
_RAW_BRANDS = {b"crx "}  # Canon's raw images
_MOV_ATOMS = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}  # QuickTime without a brand
_JPEG = b"\xff\xd8\xff"
_JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJXL ")
_PORTABLE = re.compile(rb"P[1-7fFy]\s+[#\dW]")  # PBM to PAM, and PFM
_MOTION_JPEG_SUFFIXES = (".mjpeg", ".mjpg")  # several JPEG images, one after another
_IMAGES = (
    _JPEG, b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+",
    b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51", b"8BPS", b"DDS ", b"qoif", b"icns", b"\0\0\1\0",
    b"\0\0\2\0", b"SIMPLE  =", *_JPEG_XL,
)  # fmt: skip
_VIDEOS = (
    b"\x1aE\xdf\xa3",  # Matroska, WebM
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF: WMV
    b"FLV\x01",  # Flash
    b"\0\0\1\xba", b"\0\0\1\xb3", b"\0\0\1\xb0",  # MPEG programme streams, MPEG-1, -2 and -4 video
    b"YUV4MPEG2", b"DKIF", b"\x06\x0e\x2b\x34", b".RMF",  # Y4M, IVF, MXF, RealMedia
    b"nut/multimedia container\0",
    b"\x1f\x07\x00\x3f", b"\x1f\x07\x00\xbf",  # DV of camcorders, 60 and 50 fields
    b"\xb7\xd8\x00\x20\x37\x49\xda\x11", b"\0\0\0\0\x01\xbc", b"\x12\0\x0a",  # WTV, GXF, AV1
    b"BBCD\0", b"\x84\x10\xff\xff\xff\xff",  # Dirac, RoQ
)  # fmt: skip
_AUDIO = (b"ID3", b"fLaC", b"\xff\xf1", b"\xff\xf9", b"\xff\xfb", b"#!AMR")
_APPLE_DOUBLE = b"\x00\x05\x16\x07"
_CROPS = (b"\x93NUMPY", b"PK\x03\x04")
# The first unit of raw H.264 or HEVC, behind its start code: a delimiter, parameters or a message.
_H264 = re.compile(rb"\x00?\x00\x00\x01(?:[\x06\x09\x27\x47\x67]|[\x40\x42\x44\x46\x4e]\x01)")
_FLASH = re.compile(rb"[FCZ]WS[\x01-\x1f]")  # SWF, plain or compressed, and its version
# Videos whose beginning is too short a sign without their suffix: the picture start codes of ITU-T
# H.261 (4.2.1) and H.263 (5.1.1), and the code of SMPTE 421M's sequence or entry point (VC-1).
_BY_SUFFIX = {
    ".h261": re.compile(rb"\x00\x01[\x00-\x0f]"), ".261": re.compile(rb"\x00\x01[\x00-\x0f]"),
    ".h263": re.compile(rb"\x00\x00[\x80-\x83]"), ".263": re.compile(rb"\x00\x00[\x80-\x83]"),
    ".vc1": re.compile(rb"\x00\x00\x01[\x0e\x0f]"),
}  # fmt: skip
_TRANSPORT_SYNC = 0x47  # at every packet of an MPEG transport stream
_TRANSPORT_PACKETS = ((0, 188), (4, 192), (0, 204))  # first one and distance, bytes: .ts, .mts, DVB
_MIN_PACKETS = 3
_MAX_FIRST_BYTE = 8  # of an atom's length; text, which may hold the same words, begins higher
# Formats that Pillow knows by name and cannot decode, and EPS, a program that it would run.
_STUBS = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"}


def kind_of(head: bytes, name: str = "") -> FileKind:
    """The kind of a file.

    Args:
        head: its first `HEAD_SIZE` bytes, or all of a shorter file.
        name: its name, whose suffix decides only where the content leaves it open: whether several
            JPEG images are a video, and rare formats whose signature is short or missing.

    Returns:
        "image" and "video" where the content is in a format that is one, whether or not it can be
        decoded here; "crops" for an array or an archive; else "audio" or "other".
    """
    suffix = Path(name).suffix.lower()
    if head.startswith(_JPEG) and suffix in _MOTION_JPEG_SUFFIXES:
        return "video"
    if head.startswith(_CROPS):
        return "crops"
    if brands := _brands(head):
        return _kind_of_brands(brands)
    if head.startswith(_IMAGES) or _PORTABLE.match(head) or _is_bitmap(head):
        return "image"
    if _is_riff(head, b"WEBP"):
        return "image"
    if _is_video(head) or (suffix in _BY_SUFFIX and _BY_SUFFIX[suffix].match(head)):
        return "video"
    if head.startswith(_AUDIO) or _is_riff(head, b"WAVE") or head.startswith(b"OggS"):
        return "audio"
    return _kind_by_pillow(head, suffix)


def is_heif(head: bytes) -> bool:
    """Whether a file is HEIC or HEIF, which Pillow alone does not read."""
    brands = _brands(head)
    return bool(brands & _HEIF_BRANDS) and not brands & _AVIF_BRANDS


def describe(head: bytes) -> str:
    """What a file is that Pillow does not know, and what to do about it; empty if unknown."""
    if head.startswith(_APPLE_DOUBLE):
        return "is the metadata that a Mac keeps beside a file (AppleDouble), not an image"
    if is_heif(head):
        return "a HEIC image, which needs pillow-heif; install it with: pip install pillow-heif"
    if _brands(head) & _AVIF_BRANDS and not _reads_avif():
        return "an AVIF image, which this Pillow does not read; install pillow 11.3 or newer"
    if _brands(head) & _RAW_BRANDS:
        return "a camera's raw image; not supported; convert it to JPEG or TIFF"
    if head.startswith(_JPEG_XL):
        return "a JPEG XL image; not supported; convert it to JPEG"
    return {
        "video": "a video, not an image",
        "audio": "a sound file, not an image",
        "image": f"a damaged image, whose header cannot be read ({len(head)} bytes)",
    }.get(kind_of(head), "")


def _reads_avif() -> bool:
    try:
        from PIL.AvifImagePlugin import SUPPORTED
    except ImportError:
        return False
    return bool(SUPPORTED)


def _brands(head: bytes) -> set[bytes]:
    """The brands of an ISO base media file; of QuickTime without any, the first atom."""
    if head[4:8] == b"ftyp":
        size = min(int.from_bytes(head[:4], "big"), len(head))
        return {head[8:12], *(head[i : i + 4] for i in range(16, size - 3, 4))}
    return {head[4:8]} & _MOV_ATOMS if head and head[0] <= _MAX_FIRST_BYTE else set()


def _kind_of_brands(brands: set[bytes]) -> FileKind:
    if brands & (_HEIF_BRANDS | _AVIF_BRANDS | _RAW_BRANDS):
        return "image"
    return "audio" if brands & _AUDIO_BRANDS else "video"


def _is_video(head: bytes) -> bool:
    if head.startswith(_VIDEOS) or _H264.match(head) or _FLASH.match(head):
        return True
    if _is_riff(head, b"AVI ") or _is_riff(head, b"AMV "):
        return True
    if head.startswith(b"OggS"):  # Theora, VP8 or Dirac; else it holds sound only
        return any(name in head for name in (b"\x80theora", b"OVP80", b"BBCD\0"))
    return any(_has_sync(head, first, step) for first, step in _TRANSPORT_PACKETS)


def _has_sync(head: bytes, first: int, step: int) -> bool:
    places = range(first, min(len(head), first + 5 * step), step)
    return len(places) >= _MIN_PACKETS and all(head[place] == _TRANSPORT_SYNC for place in places)


def _is_riff(head: bytes, form: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == form


def _is_bitmap(head: bytes) -> bool:
    """BMP, whose two letters other files begin with too: its header's size must be a known one."""
    return head[:2] == b"BM" and head[14:18] in {
        size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124)
    }


def _kind_by_pillow(head: bytes, suffix: str) -> FileKind:
    """Ask Pillow whether the content may be in the format that the suffix names."""
    from PIL import Image

    form = Image.registered_extensions().get(suffix)
    if form not in Image.OPEN or form in _STUBS or not head or head.startswith(_APPLE_DOUBLE):
        return "other"  # Pillow only writes some formats, such as PDF
    accept = Image.OPEN[form][1]
    return "image" if accept is None or accept(head[:16]) else "other"
