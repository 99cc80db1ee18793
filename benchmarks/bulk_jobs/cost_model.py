"""What an archive costs: stages of one photo, measured, and what follows for many by arithmetic."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.tracking import SAMPLE
from edge.bulk.partitions import Folder
from edge.bulk.photos import fetch, photo_at
from edge.bulk.rows import Rows
from edge.facekeypoints import FaceKeypoints
from edge.image import load_grey

_MEGAPIXELS = (0.3, 2.0, 12.0)
_TURNS = 15
_SAME = 64  # photos in the partition whose writing is measured
_LINK_BYTES = 1.25e9  # a second: 10 Gbit/s
MANY = (10**6, 10**9)


def measure_stages(folder: Path) -> list[dict[str, float]]:
    """Medians of each stage for photos of some sizes, one thread, in a warm cache.

    Args:
        folder: to write in.

    Returns:
        For each size: `megapixels`, `photo_bytes`, and ms a photo of `fetch_ms` (from the disk's
        cache), `decode_ms` (to grey), `look_ms` (detector, crop, keypoints) and `write_ms`.
    """
    detect = FaceKeypoints(precision="fp32")
    return [_measure_size(folder, detect, megapixels) for megapixels in _MEGAPIXELS]


def costs(stages: list[dict[str, float]], result_bytes: float) -> list[dict[str, Any]]:
    """What follows from the stages of each size of photo.

    Args:
        stages: as measured.
        result_bytes: of the partitions, a photo.

    Returns:
        For each size: `photos_a_core_hour`; `decode_share` of the time; `link_cores`, how many
        cores a link of 10 Gbit/s feeds; and for a million and a billion photos `core_hours`,
        `results_gb` and `read_tb`.
    """
    return [_cost(stage, result_bytes) for stage in stages]


def _cost(stage: dict[str, float], result_bytes: float) -> dict[str, Any]:
    ms = sum(value for name, value in stage.items() if name.endswith("_ms"))
    a_second = 1000 / ms
    return {
        "megapixels": stage["megapixels"],
        "photos_a_core_hour": 3600 * a_second,
        "decode_share": stage["decode_ms"] / ms,
        "link_cores": _LINK_BYTES / (stage["photo_bytes"] * a_second),
        "many": [
            {
                "photos": count,
                "core_hours": count / (3600 * a_second),
                "results_gb": count * result_bytes / 1e9,
                "read_tb": count * stage["photo_bytes"] / 1e12,
            }
            for count in MANY
        ],
    }


def _measure_size(folder: Path, detect: FaceKeypoints, megapixels: float) -> dict[str, float]:
    side = round((megapixels * 1e6) ** 0.5)
    path = folder / f"{side}.jpg"
    _textured(side).save(path, quality=88)
    data = path.read_bytes()
    grey = load_grey(data)
    rows, output = Rows(detect.keypoint_names), Folder(str(folder / "rows"), {})
    output.begin(resume=True)
    for number in range(_SAME):
        rows.add(f"archive/2019/{number:06}.jpg", detect(grey))
    written = output.write(f"part-{side:032x}.parquet", rows)
    return {
        "megapixels": megapixels,
        "photo_bytes": len(data),
        "fetch_ms": _median_ms(lambda: [*fetch([photo_at(str(path))])]),
        "decode_ms": _median_ms(lambda: load_grey(data)),
        "look_ms": _median_ms(lambda: detect(grey)),
        "write_ms": _median_ms(lambda: output.write(written.name, rows)) / _SAME,
    }


def _textured(side: int) -> Image.Image:
    """The sample enlarged, with noise, or its bytes would be fewer than a photo's of that size."""
    pixels = np.asarray(Image.open(SAMPLE).convert("RGB").resize((side, side)), np.float32)
    noise = np.random.default_rng(0).normal(0, 6, (side, side, 1))
    return Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))


def _median_ms(call: Callable[[], object]) -> float:
    call()
    spent = []
    for _ in range(_TURNS):
        start = time.perf_counter_ns()
        call()
        spent.append((time.perf_counter_ns() - start) / 1e6)
    return float(np.median(spent))
