"""Memory while many photos, or many frames of a video, go through one open object.

Photos are parts of the sample of ever other sizes, one after another; frames those of a made video,
over and over, through one tracker.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.datasets.synthetic_videos import RATE, SCENES, play
from benchmarks.tracking import SAMPLE, make_actors
from edge.facekeypoints import FaceKeypoints
from edge.image import Rgb, load_image
from edge.video.tracker import Tracker

_POINTS = 20  # of each curve
_SIDES = (64, 1600)  # px, of the photos
_WARM = 0.1  # share of the curve after which memory must be flat


def measure_memory(photos: int, frames: int) -> dict[str, Any]:
    """Both curves.

    Raises:
        OSError: the system does not tell a process its memory.
    """
    detect = FaceKeypoints(precision="fp32")
    tracker = Tracker(FaceKeypoints(precision="fp32"))
    follow = iter(range(frames))
    return {
        "photos": curve(make_photos(photos), photos, detect),
        "frames": curve(
            make_frames(frames), frames, lambda frame: tracker(frame, next(follow) / RATE)
        ),
    }


def curve(pictures: Iterator[Rgb], count: int, use: Callable[[Rgb], object]) -> dict[str, Any]:
    """Resident memory while pictures go through.

    Args:
        pictures: uint8 `(H, W, 3)`, made one at a time.
        count: how many there are.
        use: what is done with each.

    Returns:
        Points of the curve, pictures done and MB, and by how much its largest exceeds the first
        that comes after a tenth of the pictures, MB.
    """
    step = max(1, count // _POINTS)
    points = []
    for done, picture in enumerate(pictures, start=1):
        use(picture)
        if done % step == 0:
            points.append((done, round(resident_mb(), 1)))
    settled = [megabytes for done, megabytes in points if done >= _WARM * count]
    return {"curve": points, "growth_mb": round(max(settled) - settled[0], 1)}


def make_photos(count: int) -> Iterator[Rgb]:
    """Parts of the sample, each of other sides, with its face or without."""
    rng = np.random.default_rng(0)
    sample = Image.fromarray(load_image(SAMPLE))
    for _ in range(count):
        side = rng.uniform(0.3, 1.0) * min(sample.size)
        left, top = (rng.uniform(0, length - side) for length in sample.size)
        shape = np.exp(rng.uniform(np.log(_SIDES[0]), np.log(_SIDES[1]), size=2)).astype(int)
        box = (left, top, left + side, top + side)
        yield np.asarray(sample.resize((int(shape[0]), int(shape[1])), box=box))


def make_frames(count: int) -> Iterator[Rgb]:
    """A made video in which two faces come and go, over and over."""
    scene = SCENES["crossing"]
    background = np.full((48, 64, 3), 96, np.uint8)
    shots = [shot.picture for shot in play(scene, make_actors(), background)]
    return islice(cycle(shots), count)


def resident_mb(process: int | str = "self") -> float:
    """Memory that a process, by its number, or this one holds, 10⁶ bytes."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
