"""Interleaved comparison of this package and its peers on the same images.

Each method runs in a process of its own; all process the images in rounds of one pass each, so that
drift of the machine's speed affects them alike.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.comparison.accuracy import measure_accuracy
from benchmarks.comparison.environments import METHODS, Method, find_environment
from benchmarks.comparison.worker_process import Worker
from benchmarks.datasets.actors import make_actors
from benchmarks.datasets.photos import Photo
from benchmarks.datasets.synthetic_videos import SCENES, render
from benchmarks.harness.timing import summarise
from edge.image import Rgb

_WARM_UP = 4  # images
_STARTS = 7  # of each method
_FRAMES = 150
_ALL_CORES = 0  # threads: as many as the method likes

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What to compare.

    Attributes:
        home: folder of the peers' environments.
        files: model files by the name in `Method.needs`, such as `yunet`.
        timed: number of photos that are timed.
        rounds: passes over them.
    """

    home: Path
    files: dict[str, Path]
    timed: int
    rounds: int


@dataclass(frozen=True, slots=True)
class ImageArchive:
    """Images that workers read: an `.npz` file and names of arrays in it."""

    path: Path
    names: list[str]

    def request(self, count: int | None = None) -> dict[str, Any]:
        """Arguments of a request on the first `count` images, or all."""
        return {"images": str(self.path), "names": self.names[:count]}


def run_comparison(
    photos: Sequence[Photo], images: Sequence[Rgb], comparison: Comparison
) -> list[Row]:
    """Latency, memory, accuracy and start-up time of each method.

    Args:
        photos: with one annotated face each, for the accuracy.
        images: the same in colour, uint8 `(H, W, 3)` RGB.
        comparison: what to compare.

    Returns:
        One row per method and number of threads; a method that cannot run has `failure`, the
        reason, instead of results.

    Raises:
        OSError: a worker ended while it was measured.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        stills = save_images(folder / "stills.npz", images)
        frames = save_images(folder / "frames.npz", video_frames())
        np.save(folder / "first.npy", images[0])
        timed = ImageArchive(stills.path, stills.names[: comparison.timed])
        rows = []
        for threads in (1, _ALL_CORES):
            for is_video, source in ((False, timed), (True, frames)):
                methods = [method for method in METHODS if method.video == is_video]
                rows += time_methods(methods, threads, source, comparison)
        _add_accuracy(rows, photos, stills, comparison)
        _add_starts(rows, folder / "first.npy", comparison)
    return rows


def save_images(path: Path, images: Sequence[Rgb]) -> ImageArchive:
    """Write images to an `.npz` file that workers read."""
    arrays = {str(i): image for i, image in enumerate(images)}
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return ImageArchive(path, list(arrays))


def video_frames() -> list[Rgb]:
    """Frames of a synthetic video: a face that moves, rotates and changes its size."""
    frames = render(SCENES["wander"], make_actors())
    return [frame.image for frame in islice(frames, _FRAMES)]


def time_methods(
    methods: Sequence[Method], threads: int, images: ImageArchive, comparison: Comparison
) -> list[Row]:
    """Time methods on the same images, in rounds of one pass each.

    Raises:
        OSError: a worker ended after its first response; all workers are terminated.
    """
    rows: list[Row] = []
    times_ms: dict[str, list[float]] = {}
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        for method in methods:
            row: Row = {"way": method.name, "peer": method.peer, "threads": threads,
                   "video": method.video}  # fmt: skip
            rows.append(row)
            try:
                worker = stack.enter_context(_start(method, threads, comparison))
                worker.ask("time", **images.request(_WARM_UP))
            except OSError as error:
                row["failure"] = str(error)
            else:
                workers[method.name] = worker
                times_ms[method.name] = []
        for _ in range(comparison.rounds):
            for name, worker in workers.items():
                times_ms[name] += worker.ask("time", **images.request())["ms"]
        for row in rows:
            if (name := row["way"]) in workers:
                row.update(_results(row["peer"], workers[name], times_ms[name], comparison))
    return rows


def _results(peer: str, worker: Worker, times_ms: list[float], comparison: Comparison) -> Row:
    return {
        "latency": asdict(summarise(np.array(times_ms))),
        "memory_mb": round(worker.ask("memory")["mb"], 1),
        "installed_mb": round(find_environment(peer, comparison.home).size_mb(), 1),
    }


def _start(method: Method, threads: int, comparison: Comparison) -> Worker:
    """Start a method's worker.

    Raises:
        OSError: its environment or its model file is missing.
    """
    environment = find_environment(method.peer, comparison.home)
    if environment.failure:
        raise OSError(environment.failure)
    model = comparison.files.get(method.needs)
    if method.needs and model is None:
        raise OSError(f"no model file given; name one with --{method.needs} FILE")
    return Worker(method, environment, threads, model.resolve() if model else None)


def _add_accuracy(
    rows: list[Row], photos: Sequence[Photo], stills: ImageArchive, comparison: Comparison
) -> None:
    """Add the accuracy on all photos to the rows of one thread."""
    for row in rows:
        if "latency" in row and not row["video"] and row["threads"] == 1:
            with _start(_method(row), 1, comparison) as worker:
                faces = worker.ask("predict", **stills.request())["faces"]
            row["accuracy"] = measure_accuracy(photos, faces)


def _add_starts(rows: list[Row], image: Path, comparison: Comparison) -> None:
    """Add the time from the start of a process to its first result, interleaved; medians."""
    started = [row for row in rows if "latency" in row and row["threads"] == 1]
    starts: dict[str, list[dict[str, float]]] = {row["way"]: [] for row in started}
    for _ in range(_STARTS):
        for row in started:
            begin = time.perf_counter()
            with _start(_method(row), 1, comparison) as worker:
                parts = worker.ask("first", image=str(image))
            parts["total_ms"] = (time.perf_counter() - begin) * 1e3
            starts[row["way"]].append(parts)
    for row in started:
        warm = starts[row["way"]][1:]  # the first may read from the disk
        row["start"] = {
            name: round(float(np.median([parts[name] for parts in warm])), 1) for name in warm[0]
        }


def _method(row: Row) -> Method:
    return next(method for method in METHODS if method.name == row["way"])
