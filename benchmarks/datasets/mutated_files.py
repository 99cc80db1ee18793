"""Image files of eleven formats, damaged at random in the ways that files get damaged."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, features

_SIDE = 48  # px of the images, which are many
_HEADER = 64  # bytes in which half of the damage is done: there it leads furthest
_MAX_RUN = 32  # bytes that are changed together

# The formats, with the options of Pillow that bring most of a decoder into play.
_OPTIONS: dict[str, dict[str, object]] = {
    "AVIF": {"quality": 60, "speed": 10},
    "BMP": {},
    "GIF": {},
    "ICO": {"sizes": [(16, 16), (32, 32)]},
    "JPEG": {"quality": 85, "progressive": True},
    "JPEG2000": {},
    "PNG": {},
    "PPM": {},
    "TGA": {"compression": "tga_rle"},
    "TIFF": {"compression": "tiff_lzw"},
    "WEBP": {"quality": 80},
}
_FEATURES = {"JPEG2000": "jpg_2000", "TIFF": "libtiff"}  # which Pillow may lack

Damage = Callable[[bytearray, np.random.Generator], None]


def encode_samples(image: Image.Image) -> dict[str, bytes]:
    """A small image in every one of the formats that this Pillow writes.

    Args:
        image: of mode RGB.

    Returns:
        The bytes of a file by the format's name in Pillow.
    """
    small = image.resize((_SIDE, _SIDE))
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation
    samples = {}
    Image.init()
    for form, options in _OPTIONS.items():
        if form in Image.SAVE and features.check(_FEATURES.get(form, "zlib")):
            file = io.BytesIO()
            with_exif = {"exif": exif} if form in ("AVIF", "JPEG", "PNG", "TIFF", "WEBP") else {}
            small.save(file, form, **options, **with_exif)
            samples[form] = file.getvalue()
    return samples


def damage(data: bytes, rng: np.random.Generator) -> bytes:
    """A damaged copy of a file: one to four of its parts are changed, cut out or repeated."""
    damaged = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        _DAMAGES[int(rng.integers(len(_DAMAGES)))](damaged, rng)
    return bytes(damaged)


def _place(data: bytearray, rng: np.random.Generator) -> int:
    end = min(len(data), _HEADER) if rng.random() < 0.5 else len(data)
    return int(rng.integers(end)) if end else 0


def _run(data: bytearray, rng: np.random.Generator) -> slice:
    start = _place(data, rng)
    return slice(start, min(len(data), start + int(rng.integers(1, _MAX_RUN))))


def _flip_bit(data: bytearray, rng: np.random.Generator) -> None:
    if data:
        data[_place(data, rng)] ^= 1 << int(rng.integers(8))


def _overwrite(data: bytearray, rng: np.random.Generator) -> None:
    part = _run(data, rng)
    data[part] = rng.bytes(len(data[part]))


def _fill(data: bytearray, rng: np.random.Generator) -> None:
    part = _run(data, rng)
    data[part] = (b"\0", b"\xff", b"\x7f")[int(rng.integers(3))] * len(data[part])


def _remove(data: bytearray, rng: np.random.Generator) -> None:
    del data[_run(data, rng)]


def _repeat(data: bytearray, rng: np.random.Generator) -> None:
    place = _place(data, rng)
    data[place:place] = data[_run(data, rng)]


def _cut_off(data: bytearray, rng: np.random.Generator) -> None:
    del data[_place(data, rng) :]


_DAMAGES: tuple[Damage, ...] = (_flip_bit, _overwrite, _fill, _remove, _repeat, _cut_off)
