"""Cost of an archive: measured stages of one photo, extrapolated to many by arithmetic."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.datasets.sample import SAMPLE
from edge.bulk.output_folder import OutputFolder
from edge.bulk.photos import fetch, photo_at
from edge.bulk.rows import Rows
from edge.facekeypoints import FaceKeypoints
from edge.image import load_grey

_MEGAPIXELS = (0.3, 2.0, 12.0)
_REPETITIONS = 15
_PARTITION_SIZE = 64  # photos in the partition whose writing is measured
_LINK_BYTES_S = 1.25e9  # 10 Gbit/s
ARCHIVE_SIZES = (10**6, 10**9)  # photos


def measure_stages(folder: Path) -> list[dict[str, float]]:
    """Measure the median time of each stage for photos of several sizes, in one thread.

    Args:
        folder: an existing folder for temporary files.

    Returns:
        For each size: `megapixels`, `photo_bytes`, and the ms per photo `fetch_ms` (from the page
        cache), `decode_ms` (to grey), `look_ms` (detector, crop, keypoints) and `write_ms`.
    """
    detect = FaceKeypoints(precision="fp32")
    return [_measure_size(folder, detect, megapixels) for megapixels in _MEGAPIXELS]


def extrapolate(stages: list[dict[str, float]], result_bytes: float) -> list[dict[str, Any]]:
    """Extrapolate the stages of each size of photo to whole archives.

    Args:
        stages: as `measure_stages` returns them.
        result_bytes: size of the results, bytes per photo.

    Returns:
        For each size: `photos_a_core_hour`; `decode_share`, the share of decoding in the time;
        `link_cores`, the number of cores that a link of 10 Gbit/s keeps busy; and for a million and
        a billion photos `core_hours`, `results_gb` and `read_tb`.
    """
    return [_cost(stage, result_bytes) for stage in stages]


def _cost(stage: dict[str, float], result_bytes: float) -> dict[str, Any]:
    ms = sum(value for name, value in stage.items() if name.endswith("_ms"))
    photos_per_s = 1000 / ms
    return {
        "megapixels": stage["megapixels"],
        "photos_a_core_hour": 3600 * photos_per_s,
        "decode_share": stage["decode_ms"] / ms,
        "link_cores": _LINK_BYTES_S / (stage["photo_bytes"] * photos_per_s),
        "many": [
            {
                "photos": count,
                "core_hours": count / (3600 * photos_per_s),
                "results_gb": count * result_bytes / 1e9,
                "read_tb": count * stage["photo_bytes"] / 1e12,
            }
            for count in ARCHIVE_SIZES
        ],
    }


def _measure_size(folder: Path, detect: FaceKeypoints, megapixels: float) -> dict[str, float]:
    side = round((megapixels * 1e6) ** 0.5)
    path = folder / f"{side}.jpg"
    _textured(side).save(path, quality=88)
    data = path.read_bytes()
    grey = load_grey(data)
    rows = Rows(detect.keypoint_names)
    output = OutputFolder(str(folder / "rows"), {})
    output.prepare(resume=True)
    for number in range(_PARTITION_SIZE):
        rows.add(f"archive/2019/{number:06}.jpg", detect(grey))
    summary = output.write(f"part-{side:032x}.parquet", rows)
    return {
        "megapixels": megapixels,
        "photo_bytes": len(data),
        "fetch_ms": _median_ms(lambda: [*fetch([photo_at(str(path))])]),
        "decode_ms": _median_ms(lambda: load_grey(data)),
        "look_ms": _median_ms(lambda: detect(grey)),
        "write_ms": _median_ms(lambda: output.write(summary.name, rows)) / _PARTITION_SIZE,
    }


def _textured(side: int) -> Image.Image:
    """The sample enlarged, with noise, so that its file is as large as a real photo's."""
    pixels = np.asarray(Image.open(SAMPLE).convert("RGB").resize((side, side)), np.float32)
    noise = np.random.default_rng(0).normal(0, 6, (side, side, 1))
    return Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))


def _median_ms(call: Callable[[], object]) -> float:
    call()  # warm-up
    times_ms = []
    for _ in range(_REPETITIONS):
        start = time.perf_counter_ns()
        call()
        times_ms.append((time.perf_counter_ns() - start) / 1e6)
    return float(np.median(times_ms))
