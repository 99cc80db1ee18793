"""`python -m benchmarks.runtime`: start-up, overlap of the pipeline's stages, and memory.

- start: from the start of a process to its first result, and the part of importing `edge`.
- overlap: photos decoded, processed, drawn and encoded by `edge.run.pipeline`, and sequentially,
  interleaved.
- memory: see `benchmarks.harness.memory`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.datasets.sample import SAMPLE
from benchmarks.harness.cold_start import measure_starts
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.harness.memory import measure_memory
from benchmarks.reporting.markdown import header, row
from edge.drawing import draw
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.formats.image_writer import save_image
from edge.image import Rgb, load_image
from edge.run.pipeline import run_pipeline

_PHOTOS = 24
_SIDE = 1600  # px
_REPEATS = 3
_BATCH_SIZE = 8  # photos
_TABLE_POINTS = 5  # of a memory curve

_Annotated = tuple[int, Rgb, list[Face]]  # number, image, its faces
_Pipeline = Callable[..., None]  # called as `edge.run.pipeline.run_pipeline`


def run(photos: int, frames: int) -> dict[str, Any]:
    """Measure start-up, overlap and memory.

    Args:
        photos: number of photos of the memory curve.
        frames: number of video frames of the other memory curve.

    Raises:
        OSError: a process cannot be started, or the system does not report its memory.
    """
    return {
        "machine": describe_machine(threads=1),
        "start": measure_starts(),
        "overlap": measure_overlap(),
        "memory": measure_memory(photos, frames),
    }


def measure_overlap() -> dict[str, float]:
    """Photos per second with overlapping stages and sequentially, and the ratio of both."""
    detect = FaceKeypoints(precision="fp32")
    pipelines: dict[str, _Pipeline] = {"overlapped": run_pipeline, "in_turn": run_sequentially}
    seconds: dict[str, list[float]] = {name: [] for name in pipelines}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        sources = _write_photos(folder)
        for _ in range(_REPEATS):
            for name, pipeline in pipelines.items():
                start = time.perf_counter()
                _annotate(sources, detect, folder, pipeline)
                seconds[name].append(time.perf_counter() - start)
    fastest = {name: min(values) for name, values in seconds.items()}
    return {
        **{f"{name}_photos_a_second": round(_PHOTOS / s, 2) for name, s in fastest.items()},
        "gain": round(fastest["in_turn"] / fastest["overlapped"], 2),
    }


def run_sequentially(
    items: Iterable[Any],
    work: Callable[[list[Any]], list[Any]],
    write: Callable[[Any], None],
    batch: int = 1,
) -> None:
    """What `edge.run.pipeline.run_pipeline` does, without threads.

    Args:
        items: to process, read one by one.
        work: processes a batch of items; returns their results.
        write: called with each result, in order.
        batch: items per call of `work`; the last call may have fewer.
    """
    iterator = iter(items)
    while pending := list(islice(iterator, batch)):
        for result in work(pending):
            write(result)


def _write_photos(folder: Path) -> list[Path]:
    image = Image.open(SAMPLE).resize((_SIDE, _SIDE))
    paths = [folder / f"{number}.jpg" for number in range(_PHOTOS)]
    for path in paths:
        image.save(path, quality=90)
    return paths


def _annotate(
    sources: list[Path], detect: FaceKeypoints, folder: Path, pipeline: _Pipeline
) -> None:
    def predict(batch: list[tuple[int, Rgb]]) -> list[_Annotated]:
        results = detect.batch([image for _, image in batch])
        return [(*item, faces) for item, faces in zip(batch, results, strict=True)]

    def write(annotated: _Annotated) -> None:
        number, image, faces = annotated
        save_image(draw(image, faces), folder / f"{number}.keypoints.jpg")

    pipeline(enumerate(map(load_image, sources)), predict, write, batch=_BATCH_SIZE)


def table(results: dict[str, Any]) -> str:
    """The results as a Markdown table."""
    start, rates, memory = (results[name] for name in ("start", "overlap", "memory"))
    photos = f"photos of {_SIDE}×{_SIDE} px, stages overlapped"
    lines = [
        *header("what", "measured"),
        row("`import edge`", f"{start['import_ms']:.0f} ms"),
        row("process start to first result", f"{start['first_result_ms']:.0f} ms"),
        row(photos, f"{rates['overlapped_photos_a_second']:.1f} a second"),
        row("one stage after another", f"{rates['in_turn_photos_a_second']:.1f} a second"),
    ]
    for name in ("photos", "frames"):
        points = memory[name]["curve"]
        indices = np.linspace(0, len(points) - 1, _TABLE_POINTS).round().astype(int)
        shown = [points[i] for i in indices]
        curve = ", ".join(f"{megabytes:.0f} ({number:,})" for number, megabytes in shown)
        lines.append(row(f"MB held (after so many {name})", curve))
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.runtime",
        description="Measure start-up time, overlap of the stages and memory.",
    )
    add = parser.add_argument
    add("--photos", type=int, default=2000, metavar="N",
        help="photos of the memory curve (default: %(default)s)")  # fmt: skip
    add("--frames", type=int, default=20_000, metavar="N",
        help="video frames of the memory curve (default: %(default)s)")  # fmt: skip
    add("-o", "--output", metavar="FILE", type=Path, help="write the results as JSON")
    args = parser.parse_args(argv)
    return report_results(lambda: run(args.photos, args.frames), table, args.output)


if __name__ == "__main__":
    sys.exit(main())
