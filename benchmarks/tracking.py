"""`python -m benchmarks.tracking`: tracking of faces through synthetic videos with ground truth."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.datasets.actors import make_actors
from benchmarks.datasets.synthetic_videos import RATE, SCENES, Actor, AnnotatedFrame, Scene, render
from benchmarks.evaluation.trajectories import Trajectory, jitter, lag, mean_error, share_found
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.latency import tracked_frame
from benchmarks.reporting.markdown import header, row
from benchmarks.work import table as work_table
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.image import Rgb
from edge.networks.contract import Precision
from edge.video.tracker import Tracker

_REPEATS = 3  # of each scene

Method = Callable[[Rgb, float], list[Face]]  # from a frame and its time, s


@dataclass(frozen=True, slots=True)
class Comparison:
    """A video tracked, and detected frame by frame.

    Attributes:
        tracked: what the tracker found of each actor.
        detected: what independent detection found of each.
        tracked_ms: per frame, mean over the video, the fastest repeat.
        detected_ms: likewise.
    """

    tracked: list[Trajectory]
    detected: list[Trajectory]
    tracked_ms: float
    detected_ms: float


def run() -> dict[str, Any]:
    """Measure every scene, tracked and detected frame by frame."""
    actors = make_actors()
    rows = {name: measure(scene, actors) for name, scene in SCENES.items()}
    return {"machine": describe_machine(threads=1), "scenes": rows}


def measure(scene: Scene, actors: list[Actor]) -> dict[str, Any]:
    """One scene: ID switches, recall, errors, jitter, lag and time."""
    frames = list(render(scene, actors))
    fp32, int8 = (_compare(frames, len(scene.motions), name) for name in ("fp32", "int8"))
    tracked, detected = fp32.tracked, fp32.detected
    return {
        "frames": len(frames),
        "switches": sum(trajectory.id_switches for trajectory in tracked),
        "seen": round(share_found(tracked), 4),
        "seen_frame_by_frame": round(share_found(detected), 4),
        "error_px": round(mean_error(tracked, detected), 3),
        "error_px_frame_by_frame": round(mean_error(detected, tracked), 3),
        "unrest_px": round(jitter(tracked), 4),
        "unrest_px_frame_by_frame": round(jitter(detected), 4),
        "lag_frames": round(max(lag(trajectory) for trajectory in tracked), 2),
        "time_ratio": round(fp32.tracked_ms / fp32.detected_ms, 3),
        "time_ratio_int8": round(int8.tracked_ms / int8.detected_ms, 3),
        "ms_a_frame": round(fp32.tracked_ms, 2),
        "ms_a_frame_int8": round(int8.tracked_ms, 2),
    }


def _compare(frames: list[AnnotatedFrame], actors: int, precision: Precision) -> Comparison:
    """Interleave repeats of both methods; trajectories are those of the first repeat."""
    detect = FaceKeypoints(precision=precision)
    repeats = [
        (
            _apply(Tracker(detect), frames, actors),
            _apply(lambda image, _: detect(image), frames, actors),
        )
        for _ in range(_REPEATS)
    ]
    (tracked, _), (detected, _) = repeats[0]
    return Comparison(
        tracked=tracked,
        detected=detected,
        tracked_ms=min(ms for (_, ms), _ in repeats),
        detected_ms=min(ms for _, (_, ms) in repeats),
    )


def _apply(
    method: Method, frames: list[AnnotatedFrame], actors: int
) -> tuple[list[Trajectory], float]:
    """Trajectories of the actors, and the mean time per frame, ms."""
    trajectories = [Trajectory() for _ in range(actors)]
    times_ms = []
    for number, frame in enumerate(frames):
        start = time.perf_counter_ns()
        faces = method(frame.image, number / RATE)
        times_ms.append((time.perf_counter_ns() - start) / 1e6)
        for trajectory, truth in zip(trajectories, frame.truth, strict=True):
            trajectory.append(truth, faces)
    return trajectories, float(np.mean(times_ms))


def table(results: dict[str, Any]) -> str:
    """The results as a Markdown table."""
    lines = header("scene", "ID switches", "found", "error", "frame by frame", "jitter",
                   "frame by frame", "lag", "time ratio", "in int8")  # fmt: skip
    lines += [
        row(
            name,
            str(scene["switches"]),
            f"{scene['seen']:.1%}",
            f"{scene['error_px']:.2f} px",
            f"{scene['error_px_frame_by_frame']:.2f} px",
            f"{scene['unrest_px']:.3f} px",
            f"{scene['unrest_px_frame_by_frame']:.3f} px",
            f"{scene['lag_frames']:.2f}",
            f"{scene['time_ratio']:.2f}",
            f"{scene['time_ratio_int8']:.2f}",
        )
        for name, scene in results["scenes"].items()
    ]
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tracking",
        description="Track faces through synthetic videos and compare with the ground truth.",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=Path, help="write the results as JSON"
    )
    parser.add_argument(
        "--stages", action="store_true", help="measure the stages of a tracked frame instead"
    )
    parser.add_argument(
        "--home", metavar="DIR", type=Path,
        help="with --stages, run MediaPipe too, in this folder of the peers' environments",
    )  # fmt: skip
    args = parser.parse_args(argv)
    if not args.stages:
        return report_results(run, table, args.output)
    with tempfile.TemporaryDirectory() as scratch:
        measure_stages = partial(tracked_frame.run, Path(scratch), args.home)
        return report_results(measure_stages, work_table, args.output)


if __name__ == "__main__":
    sys.exit(main())
