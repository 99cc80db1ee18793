"""`python -m benchmarks.hiding`: bare faces and needlessly hidden area in synthetic videos."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets.actors import make_actors
from benchmarks.datasets.hiding_scenes import scenes
from benchmarks.datasets.synthetic_videos import RATE, Actor, Scene, placement, render
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.reporting.markdown import header, row
from edge.anonymization import hide
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.geometry.affine import transform
from edge.image import Rgb
from edge.run.hiding import HiddenFrames, open_finder
from edge.run.reporter import ImageResult
from edge.video.tracker import Tracker

_MIN_SCORE = 0.2  # of what is hidden, the default of the command
_HIDDEN_POINTS = 0.5  # share of a face's keypoints that must be hidden, else it is bare

Mask = NDArray[np.bool_]  # (H, W)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the faces of one video.

    Attributes:
        seen: faces in view, summed over the frames.
        bare: those of them that were not hidden.
        partly: those of which a keypoint was not hidden.
        needless: share of the pictures' area that was hidden and belongs to no face.
    """

    seen: int
    bare: int
    partly: int
    needless: float


def run() -> dict[str, Any]:
    """Measure every scene."""
    actors = make_actors()
    detect = FaceKeypoints(precision="fp32")
    rows = {}
    for name, scene in scenes().items():
        outcome = measure(scene, actors, detect)
        rows[name] = {
            "seen": outcome.seen,
            "bare": outcome.bare,
            "partly_bare": outcome.partly,
            "needless_area": round(outcome.needless, 4),
        }
    return {"machine": describe_machine(threads=1), "scenes": rows}


def measure(scene: Scene, actors: list[Actor], detect: FaceKeypoints) -> Outcome:
    """Hide the faces of a scene and compare with the truth."""
    seen = bare = partly = 0
    needless = []
    frames = render(scene, actors, _background())
    for truth, mask, time in zip(*_truths_and_masks(scene, actors, detect, frames), strict=True):
        for points in truth:
            if points is not None:
                columns, rows = np.rint(points).astype(int).T
                hidden = mask[rows, columns]
                seen += 1
                bare += bool(hidden.mean() < _HIDDEN_POINTS)
                partly += not hidden.all()
        needless.append(float((mask & ~_face_area(scene, actors, time, mask.shape)).mean()))
    return Outcome(seen, bare, partly, float(np.mean(needless)))


def _truths_and_masks(
    scene: Scene, actors: list[Actor], detect: FaceKeypoints, frames: Iterator[Any]
) -> tuple[list[Any], list[Mask], list[float]]:
    """The truth, the hidden area and the time of each frame."""
    tracker, finder = Tracker(detect), open_finder(detect, _MIN_SCORE)
    hidden = HiddenFrames("face", detect.min_score)
    truths, originals, masks, times = [], [], [], []
    outputs: list[tuple[Rgb, float]] = []
    for number, frame in enumerate(frames):
        time = number / RATE
        candidates = finder(frame.image)
        faces = tracker(frame.image, time)
        result = ImageResult("", frame.image, faces, number, time, candidates)
        truths.append(frame.truth)
        originals.append(frame.image)
        outputs += hidden.add(result)
    outputs += hidden.finish()
    for original, (image, time) in zip(originals, outputs, strict=True):
        # The noise of the synthetic frames makes every hidden place differ but for chance.
        masks.append(_closed((image != original).any(axis=2)))
        times.append(time)
    return truths, masks, times


def _background() -> Rgb:
    """Random colours, which move as little as a room does."""
    return np.random.default_rng(3).integers(30, 220, (12, 16, 3)).astype(np.uint8)


def _closed(mask: Mask) -> Mask:
    """A mask without the single pixels that are equal by chance."""
    padded = np.pad(mask, 1)
    height, width = mask.shape
    count = sum(
        padded[y : y + height, x : x + width].astype(int) for y in range(3) for x in range(3)
    )
    return np.asarray(count >= 5)


def _face_area(scene: Scene, actors: list[Actor], time: float, shape: tuple[int, ...]) -> Mask:
    """Where hiding the true faces would hide, also of those that are partly in view."""
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    faces = []
    for motion, actor in zip(scene.motions, actors, strict=False):
        points = transform(placement(actor, motion(time)), actor.keypoints).astype(np.float32)
        faces.append(Face(np.zeros(4, np.float32), 1.0, points, np.zeros(15, np.float32)))
    return _closed((hide(noise, faces) != noise).any(axis=2))


def table(results: dict[str, Any]) -> str:
    """The results as a Markdown table."""
    lines = header("scene", "faces in view", "bare", "partly bare", "needlessly hidden area")
    for name, scene in results["scenes"].items():
        lines.append(
            row(
                name,
                str(scene["seen"]),
                str(scene["bare"]),
                str(scene["partly_bare"]),
                f"{scene['needless_area']:.1%}",
            )
        )
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.hiding",
        description="Hide the faces of synthetic videos and compare with the ground truth.",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=Path, help="write the results as JSON"
    )
    args = parser.parse_args(argv)
    return report_results(run, table, args.output)


if __name__ == "__main__":
    sys.exit(main())
