"""The prepared `.npz` file of photos with the boxes and rolls of their faces."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.errors import first_line
from edge.files import write_atomically
from train.detector.photos import Photo
from train.errors import DataError

_BOX_ARRAYS = {"boxes": "boxes", "ignored": "unsure"}  # attribute of `Photo` → array of the file


def save_photos(photos: list[Photo], path: Path, quality: int | None = None) -> None:
    """Write photos to a file atomically.

    Args:
        photos: what is written.
        path: of the `.npz` file.
        quality: of WebP, 1–100, which takes about a seventh of the space; None keeps the pixels
            unchanged.
    """
    parts = [
        photo.pixels.ravel() if quality is None else _compress(photo.pixels, quality)
        for photo in photos
    ]
    arrays: dict[str, Any] = {
        "pixels": np.concatenate(parts),
        "shapes": np.array([photo.pixels.shape for photo in photos], np.int64),
        "sources": np.array([photo.source for photo in photos]),
        "rolls": np.concatenate([photo.rolls for photo in photos]),
    }
    if quality is not None:
        arrays["sizes"] = np.array([len(part) for part in parts], np.int64)
    for attribute, name in _BOX_ARRAYS.items():
        lists = [getattr(photo, attribute) for photo in photos]
        arrays[name] = np.concatenate(lists)
        arrays[f"{name}_counts"] = np.array([len(boxes) for boxes in lists], np.int64)
    with write_atomically(path) as part:
        np.savez(part, **arrays)


def load_photos_with_boxes(path: str | Path) -> list[Photo]:
    """Read a file written by `save_photos`.

    Raises:
        DataError: the file is missing or has another format.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            shapes = arrays["shapes"]
            sizes = arrays["sizes"] if "sizes" in arrays else shapes.prod(axis=1)
            parts = np.split(arrays["pixels"], np.cumsum(sizes)[:-1])
            pixels = [
                _expand(part, (int(height), int(width)))
                for part, (height, width) in zip(parts, shapes, strict=True)
            ]
            boxes, ignored = (
                np.split(arrays[name], np.cumsum(arrays[f"{name}_counts"])[:-1])
                for name in _BOX_ARRAYS.values()
            )
            rolls = np.split(arrays["rolls"], np.cumsum(arrays["boxes_counts"])[:-1])
            sources = arrays["sources"].tolist()
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path}: not a file of photos with boxes ({first_line(error)}); create one with "
            "python -m train.prepare --recipe face"
        ) from error
    rows = zip(pixels, boxes, ignored, sources, rolls, strict=True)
    return [Photo(p, b, i, str(source), roll) for p, b, i, source, roll in rows]


def _compress(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """The bytes of a WebP file, or the pixels where that is no shorter."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", quality=quality)
    packed = np.frombuffer(file.getvalue(), np.uint8)
    return packed if len(packed) < pixels.size else pixels.ravel()


def _expand(part: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """The pixels `(H, W)` of what `save_photos` wrote for one photo."""
    if part.size == shape[0] * shape[1]:
        return part.reshape(shape)
    with Image.open(io.BytesIO(part.tobytes()), formats=["WEBP"]) as image:
        pixels = np.asarray(image.convert("L"))
    if pixels.shape != shape:
        raise ValueError(f"a photo has the shape {pixels.shape} instead of {shape}")
    return pixels
