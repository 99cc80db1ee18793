"""A synthetic archive: random crops of photos under varied lighting, and files that are invalid."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from benchmarks.datasets.sample import SAMPLE

_SIDES = (240, 800)  # px, of the longer side
_CROP_SHARE = (0.55, 1.0)  # of a photo's sides
_MAX_ROLL_DEG = 20.0
_BRIGHTNESS = (0.5, 1.4)  # factors
_INVALID_EVERY = 50  # files
_FOLDER_SIZE = 500  # files
_MAX_PHOTOS = 400  # photos that are kept in memory to be cropped
_JPEG_QUALITY = 88


def make_archive(folder: Path, count: int, data: Path | None = None) -> int:
    """Write an archive, the same in every run.

    Args:
        folder: receives the files, in subfolders.
        count: number of files.
        data: folder that is searched recursively for photos (.jpg); None for the sample alone.

    Returns:
        How many of the files are invalid.

    Raises:
        OSError: a file cannot be written, or a photo cannot be read.
    """
    rng = np.random.default_rng(0)
    photos = [*_load(data)] or [Image.open(SAMPLE).convert("RGB")]
    invalid = 0
    for number in range(count):
        path = folder / f"{number // _FOLDER_SIZE:03}" / f"{number:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        if number % _INVALID_EVERY == _INVALID_EVERY - 1:
            make = INVALID_FILES[invalid % len(INVALID_FILES)]
            path.write_bytes(make())
            invalid += 1
            continue
        image = _augment(photos[number % len(photos)], rng)
        image.save(path, quality=_JPEG_QUALITY)
    return invalid


def _load(data: Path | None) -> Iterator[Image.Image]:
    if data is None:
        return
    paths = sorted(data.rglob("*.jpg"))
    for path in paths[:: max(1, len(paths) // _MAX_PHOTOS)]:
        with Image.open(path) as image:
            image.thumbnail((_SIDES[1], _SIDES[1]))
            yield image.convert("RGB")


def _augment(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A random crop of a photo, rotated, resized and with its brightness changed."""
    share = rng.uniform(*_CROP_SHARE)
    width, height = (max(8, round(share * length)) for length in photo.size)
    left, top = (rng.uniform(0, 1 - share) * length for length in photo.size)
    crop = photo.crop((round(left), round(top), round(left) + width, round(top) + height))
    crop = crop.rotate(rng.uniform(-_MAX_ROLL_DEG, _MAX_ROLL_DEG), Image.Resampling.BILINEAR)
    scale = rng.uniform(*_SIDES) / max(crop.size)
    crop = crop.resize((max(1, round(width * scale)), max(1, round(height * scale))))
    return ImageEnhance.Brightness(crop).enhance(rng.uniform(*_BRIGHTNESS))


def _truncated() -> bytes:
    data = SAMPLE.read_bytes()
    return data[: len(data) // 2]


def _too_large() -> bytes:
    """The header of an image of 3.6 gigapixels."""
    buffer = io.BytesIO()
    Image.new("1", (8, 8)).save(buffer, "BMP")
    data = bytearray(buffer.getvalue())
    data[18:26] = (60_000).to_bytes(4, "little") * 2
    return bytes(data)


def _postscript() -> bytes:
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n"


INVALID_FILES: tuple[Callable[[], bytes], ...] = (
    lambda: b"", lambda: b"no picture at all", _truncated, _too_large, _postscript,
)  # fmt: skip
