"""`python -m benchmarks.tracking`: how well faces are followed through videos of known truth.

Legend: T frames.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets.synthetic_videos import RATE, SCENES, Actor, Scene, Shot, play
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.geometry.affine import compose
from edge.geometry.face_frame import CROP, upright_matrix
from edge.geometry.similarity import similarity
from edge.image import Rgb, load_image, to_grey
from edge.networks.contract import Precision
from edge.refinement import refine
from edge.video.tracker import Tracker

SAMPLE = Path(__file__).parents[1] / "edge" / "data" / "astronaut.jpg"
_LAGS = np.arange(0, 4.01, 0.05)  # frames
_LOOKS = 64  # whose mean is taken for an actor's true points
_PLAYS = 3  # of each scene
_SETTLED = 10  # frames after which a still face must be still

Follow = Callable[[Rgb, float], list[Face]]


@dataclass(slots=True)
class Followed:
    """What became of one actor: where it was and was found, frame by frame, NaN where not."""

    truth: list[NDArray[np.float64]] = field(default_factory=list)
    found: list[NDArray[np.float64]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    @property
    def switches(self) -> int:
        """How often it was given another number."""
        return int(np.count_nonzero(np.diff(self.numbers)))


def run() -> dict[str, Any]:
    """Play every scene, followed and detected frame by frame."""
    actors = make_actors()
    background = np.full((48, 64, 3), 96, np.uint8)
    rows = {name: measure(scene, actors, background) for name, scene in SCENES.items()}
    return {"machine": describe_machine(threads=1), "scenes": rows}


def make_actors() -> list[Actor]:
    """The sample's face, and a second one: its mirror image in another light."""
    photo = load_image(SAMPLE)
    mirrored = (255 * (photo[:, ::-1] / 255.0) ** 0.6).astype(np.uint8)
    detect = FaceKeypoints(precision="fp32", max_faces=1)
    return [Actor(picture, _true_points(picture, detect)) for picture in (photo, mirrored)]


def _true_points(photo: Rgb, detect: FaceKeypoints) -> NDArray[np.float64]:
    """The mean of many looks at a face, `(15, 2)` px: what one look finds depends on its crop."""
    (face,) = detect(photo)
    upright = upright_matrix(face.keypoints, CROP)
    if upright is None:
        raise ValueError("the sample has no face")
    rng, middle, grey = np.random.default_rng(0), (CROP - 1) / 2, to_grey(photo)
    matrices = []
    for _ in range(_LOOKS):
        x, y = middle + rng.uniform(-0.04, 0.04, 2) * CROP
        scale, angle = np.exp(rng.uniform(-0.1, 0.1)), rng.uniform(-10, 10)
        matrices.append(compose(similarity(scale, angle, (middle, middle), (x, y)), upright))
    seen = refine(detect.model, [grey] * _LOOKS, matrices, max_passes=1)
    return np.asarray(np.mean([one.keypoints for one in seen], axis=0), np.float64)


def measure(scene: Scene, actors: list[Actor], background: NDArray[np.uint8]) -> dict[str, Any]:
    """One scene: numbers lost, errors, unrest, lag and time."""
    shots = list(play(scene, actors, background))
    (tracked, single), spent = _both_ways(shots, len(scene.motions), "fp32")
    _, spent_int8 = _both_ways(shots, len(scene.motions), "int8")
    return {
        "frames": len(shots),
        "switches": sum(one.switches for one in tracked),
        "seen": round(_share_seen(tracked), 4),
        "seen_frame_by_frame": round(_share_seen(single), 4),
        "error_px": round(_error(tracked, single), 3),
        "error_px_frame_by_frame": round(_error(single, tracked), 3),
        "unrest_px": round(_unrest(tracked), 4),
        "unrest_px_frame_by_frame": round(_unrest(single), 4),
        "lag_frames": round(max(lag(one) for one in tracked), 2),
        "time_ratio": round(spent[0] / spent[1], 3),
        "time_ratio_int8": round(spent_int8[0] / spent_int8[1], 3),
        "ms_a_frame": round(spent[0], 2),
        "ms_a_frame_int8": round(spent_int8[0], 2),
    }


def _both_ways(
    shots: list[Shot], count: int, precision: Precision
) -> tuple[list[list[Followed]], list[float]]:
    """What became of the actors, followed and frame by frame, and the ms a frame either took.

    The scene is played several times, the ways in turn; the quickest of each counts.
    """
    detect = FaceKeypoints(precision=precision)
    rounds = [
        [
            _follow(shots, count, way)
            for way in (Tracker(detect), lambda picture, _: detect(picture))
        ]
        for _ in range(_PLAYS)
    ]
    spent = np.array([[ms for _, ms in results] for results in rounds])
    return [followed for followed, _ in rounds[0]], spent.min(axis=0).tolist()


def _follow(shots: list[Shot], count: int, follow: Follow) -> tuple[list[Followed], float]:
    followed, spent = [Followed() for _ in range(count)], []
    for number, shot in enumerate(shots):
        start = time.perf_counter_ns()
        faces = follow(shot.picture, number / RATE)
        spent.append((time.perf_counter_ns() - start) / 1e6)
        for actor, truth in zip(followed, shot.truth, strict=True):
            _note(actor, truth, faces)
    return followed, float(np.mean(spent))


def _note(actor: Followed, truth: NDArray[np.float64] | None, faces: list[Face]) -> None:
    nothing = np.full((15, 2), np.nan)
    actor.truth.append(nothing if truth is None else truth)
    actor.found.append(nothing)
    if truth is None or not faces:
        return
    away = [float(np.linalg.norm(face.keypoints - truth, axis=1).mean()) for face in faces]
    nearest = faces[int(np.argmin(away))]
    if min(away) < 0.25 * float(max(nearest.box[2:])):
        actor.found[-1] = nearest.keypoints.astype(np.float64)
        if nearest.track_id is not None:
            actor.numbers.append(nearest.track_id)


def _share_seen(followed: list[Followed]) -> float:
    truth, found = (np.concatenate([getattr(one, name) for one in followed])[:, 0, 0]
                    for name in ("truth", "found"))  # fmt: skip
    there = ~np.isnan(truth)
    return float((~np.isnan(found[there])).mean())


def _error(followed: list[Followed], others: list[Followed]) -> float:
    """Mean distance from the truth in the frames in which both have found the face, px."""
    apart = [
        np.linalg.norm(np.subtract(one.found, one.truth), axis=2)
        + 0 * np.linalg.norm(other.found, axis=2)  # NaN where the other has not
        for one, other in zip(followed, others, strict=True)
    ]
    return float(np.nanmean(np.concatenate(apart)))


def _unrest(followed: list[Followed]) -> float:
    """How far points move from frame to frame against the truth, root mean square, px."""
    moved = [np.diff(np.subtract(one.found, one.truth)[_SETTLED:], axis=0) for one in followed]
    return float(np.sqrt(np.nanmean(np.concatenate(moved) ** 2)))


def lag(actor: Followed) -> float:
    """By how many frames the points found are behind the truth: the shift that fits them best."""
    truth, found = np.array(actor.truth), np.array(actor.found)
    if np.nanmax(np.abs(np.diff(truth, axis=0)), initial=0.0) < 0.5:
        return 0.0
    frames = np.arange(len(truth), dtype=np.float64)
    bias = np.nanmean(found - truth, axis=0)
    misfits = []
    for shift in _LAGS:
        low = np.clip(np.floor(frames - shift).astype(int), 0, len(truth) - 1)
        high = np.clip(low + 1, 0, len(truth) - 1)
        part = (frames - shift - low)[:, None, None]
        then = truth[low] * (1 - part) + truth[high] * part
        misfits.append(float(np.nanmean((found - bias - then)[5:] ** 2)))
    return float(_LAGS[int(np.argmin(misfits))])


def table(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    lines = [
        "| scene | id switches | seen | error | frame by frame | unrest | frame by frame | lag "
        "| time ratio | in int8 |",
        "|---" * 10 + "|",
    ]
    lines += [
        f"| {name} | {row['switches']} | {row['seen']:.1%} | {row['error_px']:.2f} px | "
        f"{row['error_px_frame_by_frame']:.2f} px | {row['unrest_px']:.3f} px | "
        f"{row['unrest_px_frame_by_frame']:.3f} px | {row['lag_frames']:.2f} | "
        f"{row['time_ratio']:.2f} | {row['time_ratio_int8']:.2f} |"
        for name, row in results["scenes"].items()
    ]
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tracking",
        description="Follow faces through made videos and compare with the truth.",
    )
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="results as JSON")
    args = parser.parse_args(argv)
    return report_results(run, table, args.output)


if __name__ == "__main__":
    sys.exit(main())
