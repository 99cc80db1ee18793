"""`python -m benchmarks.runtime`: start-up, overlapping of the stages, and memory.

- start: a fresh process from its start to the first result, and what importing `edge` takes of it.
- overlap: photos decoded, looked at, drawn and encoded, by `edge.run.pipeline` and one stage after
  another, in turns.
- memory: see `benchmarks.harness.memory`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.harness.cold_start import measure_starts
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.harness.memory import measure_memory
from benchmarks.tracking import SAMPLE
from edge.drawing import draw
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.image import Rgb, load_image
from edge.image_writer import save_image
from edge.run.pipeline import run_pipeline

_PHOTOS, _SIDE, _TURNS = 24, 1600, 3
_AT_ONCE = 8

Seen = tuple[int, Rgb, list[Face]]


def run(photos: int, frames: int) -> dict[str, Any]:
    """All three.

    Raises:
        OSError: a process cannot be started, or the system does not tell its memory.
    """
    return {
        "machine": describe_machine(threads=1),
        "start": measure_starts(),
        "overlap": measure_overlap(),
        "memory": measure_memory(photos, frames),
    }


def measure_overlap() -> dict[str, float]:
    """Photos a second with the stages overlapped, and one after another."""
    detect = FaceKeypoints(precision="fp32")
    seconds: dict[str, list[float]] = {"overlapped": [], "in_turn": []}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        sources = _write_photos(folder)
        for _ in range(_TURNS):
            for name, way in (("overlapped", run_pipeline), ("in_turn", in_turn)):
                start = time.perf_counter()
                _annotate(sources, detect, folder, way)
                seconds[name].append(time.perf_counter() - start)
    rates = {f"{name}_photos_a_second": _PHOTOS / min(some) for name, some in seconds.items()}
    gain = min(seconds["in_turn"]) / min(seconds["overlapped"])
    return {name: round(value, 2) for name, value in {**rates, "gain": gain}.items()}


def in_turn(
    items: Iterable[Any],
    work: Callable[[list[Any]], list[Any]],
    write: Callable[[Any], None],
    batch: int = 1,
) -> None:
    """What `edge.run.pipeline.run_pipeline` does, one stage after another."""
    some = []
    for item in items:
        some.append(item)
        if len(some) == batch:
            for result in work(some):
                write(result)
            some = []
    for result in work(some):
        write(result)


def _write_photos(folder: Path) -> list[Path]:
    large = Image.open(SAMPLE).resize((_SIDE, _SIDE))
    paths = [folder / f"{number}.jpg" for number in range(_PHOTOS)]
    for path in paths:
        large.save(path, quality=90)
    return paths


def _annotate(
    sources: list[Path], detect: FaceKeypoints, folder: Path, way: Callable[..., None]
) -> None:
    def look(some: list[tuple[int, Rgb]]) -> list[Seen]:
        found = detect.batch([picture for _, picture in some])
        return [
            (number, picture, faces) for (number, picture), faces in zip(some, found, strict=True)
        ]

    def write(seen: Seen) -> None:
        number, picture, faces = seen
        save_image(draw(picture, faces), folder / f"{number}.keypoints.jpg")

    way(enumerate(map(load_image, sources)), look, write, batch=_AT_ONCE)


def table(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    start, rates, memory = (results[name] for name in ("start", "overlap", "memory"))
    lines = [
        "| what | measured |",
        "|---|---|",
        f"| `import edge` | {start['import_ms']:.0f} ms |",
        f"| process start to first result | {start['first_result_ms']:.0f} ms |",
        f"| photos of {_SIDE}×{_SIDE} px, stages overlapped | "
        f"{rates['overlapped_photos_a_second']:.1f} a second |",
        f"| one stage after another | {rates['in_turn_photos_a_second']:.1f} a second |",
    ]
    for name in ("photos", "frames"):
        points = memory[name]["curve"]
        shown = [points[i] for i in np.linspace(0, len(points) - 1, 5).round().astype(int)]
        curve = ", ".join(f"{megabytes:.0f} ({done:,})" for done, megabytes in shown)
        lines.append(f"| MB held (after so many {name}) | {curve} |")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.runtime",
        description="Measure start-up, overlapping and memory of the runtime.",
    )
    add = parser.add_argument
    add("--photos", type=int, default=2000, metavar="N", help="default: %(default)s")
    add("--frames", type=int, default=20_000, metavar="N", help="default: %(default)s")
    add("-o", "--output", metavar="FILE", type=Path, help="results as JSON")
    args = parser.parse_args(argv)
    return report_results(lambda: run(args.photos, args.frames), table, args.output)


if __name__ == "__main__":
    sys.exit(main())
