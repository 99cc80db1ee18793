"""Resident memory while many photos, or many frames of a video, are processed by one object.

Photos are crops of the sample, each of another size; frames are those of a synthetic video,
repeated, through one tracker.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.datasets.actors import make_actors
from benchmarks.datasets.sample import SAMPLE
from benchmarks.datasets.synthetic_videos import RATE, SCENES, render
from edge.facekeypoints import FaceKeypoints
from edge.image import Rgb, load_image
from edge.video.tracker import Tracker

_CURVE_POINTS = 20
_SIDES = (64, 1600)  # px, of the photos
_WARM_UP = 0.1  # share of the images after which memory should no longer grow


def measure_memory(photos: int, frames: int) -> dict[str, Any]:
    """Memory curves of photos and of video frames.

    Args:
        photos: number of photos.
        frames: number of frames.

    Raises:
        OSError: the system has no `/proc/self/statm`.
    """
    detect = FaceKeypoints(precision="fp32")
    tracker = Tracker(FaceKeypoints(precision="fp32"))
    numbers = count()
    return {
        "photos": measure_curve(make_photos(photos), photos, detect),
        "frames": measure_curve(
            make_frames(frames), frames, lambda frame: tracker(frame, next(numbers) / RATE)
        ),
    }


def measure_curve(
    images: Iterator[Rgb], total: int, process: Callable[[Rgb], object]
) -> dict[str, Any]:
    """Resident memory while images are processed.

    Args:
        images: uint8 `(H, W, 3)`, made one at a time.
        total: number of images.
        process: what to do with each.

    Returns:
        `curve`, pairs of the number of processed images and MB, and `growth_mb`, by how much its
        maximum exceeds the first value after the warm-up.
    """
    step = max(1, total // _CURVE_POINTS)
    points = []
    for number, image in enumerate(images, start=1):
        process(image)
        if number % step == 0:
            points.append((number, round(resident_mb(), 1)))
    settled = [megabytes for number, megabytes in points if number >= _WARM_UP * total]
    return {"curve": points, "growth_mb": round(max(settled) - settled[0], 1)}


def make_photos(number: int) -> Iterator[Rgb]:
    """Random crops of the sample in random sizes, with its face or without."""
    rng = np.random.default_rng(0)
    sample = Image.fromarray(load_image(SAMPLE))
    for _ in range(number):
        side = rng.uniform(0.3, 1.0) * min(sample.size)
        left, top = (rng.uniform(0, length - side) for length in sample.size)
        width, height = np.exp(rng.uniform(np.log(_SIDES[0]), np.log(_SIDES[1]), size=2)).astype(
            int
        )
        box = (left, top, left + side, top + side)
        yield np.asarray(sample.resize((int(width), int(height)), box=box))


def make_frames(number: int) -> Iterator[Rgb]:
    """A synthetic video in which two faces appear and leave, repeated."""
    frames = [frame.image for frame in render(SCENES["crossing"], make_actors())]
    return islice(cycle(frames), number)


def resident_mb(process: int | str = "self") -> float:
    """Resident set of a process, given by its ID, or of this one, 10⁶ bytes.

    Raises:
        OSError: there is no such process, or the system has no `/proc`.
    """
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def tree_mb(process: int) -> float:
    """As `resident_mb`, of a process and its children together.

    Pages that they share, such as those of libraries, are counted for each of them.
    """
    tasks = Path(f"/proc/{process}/task").iterdir()
    children = [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
    return resident_mb(process) + sum(map(resident_mb, children))
