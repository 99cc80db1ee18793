"""A made archive: parts of photos, turned and lit otherwise, and files that are no good."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from benchmarks.tracking import SAMPLE

_SIDES = (240, 800)  # px, of the longer side
_PART = (0.55, 1.0)  # of a photo's sides that are kept
_TURN_DEG = 20.0
_LIGHT = (0.5, 1.4)
_BAD_EVERY = 50  # photos
_FOLDER = 500  # photos in one
_LOADED = 400  # photos that are held to be cut


def make_archive(folder: Path, count: int, data: Path | None = None) -> int:
    """Write an archive, the same in every run.

    Args:
        folder: to make it in; there are folders in it.
        count: how many files.
        data: a folder with photos to cut from, anywhere in it; None for the sample alone.

    Returns:
        How many of the files are no good.

    Raises:
        OSError: it cannot be written, or a photo cannot be read.
    """
    rng = np.random.default_rng(0)
    photos = [*_load(data)] or [Image.open(SAMPLE).convert("RGB")]
    bad = 0
    for number in range(count):
        place = folder / f"{number // _FOLDER:03}"
        place.mkdir(parents=True, exist_ok=True)
        if number % _BAD_EVERY == _BAD_EVERY - 1:
            make = BAD[bad % len(BAD)]
            (place / f"{number:06}.jpg").write_bytes(make())
            bad += 1
            continue
        picture = _change(photos[number % len(photos)], rng)
        picture.save(place / f"{number:06}.jpg", quality=88)
    return bad


def _load(data: Path | None) -> Iterator[Image.Image]:
    if data is None:
        return
    paths = sorted(data.rglob("*.jpg"))
    for path in paths[:: max(1, len(paths) // _LOADED)]:
        with Image.open(path) as image:
            image.thumbnail((_SIDES[1], _SIDES[1]))
            yield image.convert("RGB")


def _change(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    share = rng.uniform(*_PART)
    width, height = (max(8, round(share * length)) for length in photo.size)
    left, top = (rng.uniform(0, 1 - share) * length for length in photo.size)
    part = photo.crop((round(left), round(top), round(left) + width, round(top) + height))
    part = part.rotate(rng.uniform(-_TURN_DEG, _TURN_DEG), Image.Resampling.BILINEAR)
    longer = rng.uniform(*_SIDES) / max(part.size)
    part = part.resize((max(1, round(width * longer)), max(1, round(height * longer))))
    return ImageEnhance.Brightness(part).enhance(rng.uniform(*_LIGHT))


def _cut_off() -> bytes:
    data = SAMPLE.read_bytes()
    return data[: len(data) // 2]


def _too_large() -> bytes:
    """The header of a picture of 3.6 billion pixels."""
    buffer = io.BytesIO()
    Image.new("1", (8, 8)).save(buffer, "BMP")
    data = bytearray(buffer.getvalue())
    data[18:26] = (60_000).to_bytes(4, "little") * 2
    return bytes(data)


def _program() -> bytes:
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n"


BAD: tuple[Callable[[], bytes], ...] = (
    lambda: b"", lambda: b"no picture at all", _cut_off, _too_large, _program,
)  # fmt: skip
