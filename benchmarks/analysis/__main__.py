"""`python -m benchmarks.analysis DATA`: what faces do, against hands, known heads and made films.

Eyes: openings against the lids that people labelled on photos of `helen/` and `lfpw/`. Mouth: the
lip opening of drivers who yawn or do not, of `varied/`. Head: distance and facing of heads of
`heads.npz` at known distances and poses. Blinks: in films made of photos of `permissive/` that the
eye network was not trained on, and in films of faces that do not blink.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.analysis.blink_detection import Counts, of_kind, watch
from benchmarks.analysis.face_states import measure_heads, measure_openings, measure_yawns
from benchmarks.datasets.blink_films import draw_blinks, read_actors
from benchmarks.datasets.photos import Photo, read_photos
from benchmarks.evaluation.eye_opening import openings29, openings68, read_points29
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.lfpw import read_points68
from benchmarks.reporting.markdown import header, row
from edge.analysis.analyzer import Analyzer
from edge.facekeypoints import FaceKeypoints
from edge.geometry.face_frame import CROP

FACE_PX = (60, 30)  # width of the faces' boxes in films
_ACTORS_PER_FILM = 4
_FILMS, _FILM_S = 3, 20.0  # of each size
_STILL_ACTORS, _STILL_S = 2, 600.0
_MAX_OPENING_DIFFERENCE = 0.04  # in eye widths, on helen
_MIN_YAWN_AREA = 0.97
_MIN_F1 = {60: 0.95, 30: 0.85}
_ROUNDS = 200  # of the measured time


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; a usage error exits with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.analysis",
        description="Measure the errors of eye and lip openings, distance, facing and blinks.",
    )
    add = parser.add_argument
    add("data", metavar="DATA", type=Path,
        help="folder with helen/, lfpw/, varied/, permissive/ and heads.npz")  # fmt: skip
    add("--films", type=int, default=_FILMS, metavar="N",
        help="films with blinks of each size (default: %(default)s)")  # fmt: skip
    add("--still", type=float, default=_STILL_S, metavar="SECONDS",
        help="duration of the film without blinks of each size (default: %(default)s)")  # fmt: skip
    add("-o", "--output", metavar="FILE", type=Path, help="file for the results as JSON")
    return parser.parse_args(argv)


def run(data: Path, films: int, still_s: float) -> dict[str, Any]:
    """Measure everything.

    Raises:
        EdgeError: a photo or a network cannot be read.
        OSError: a file cannot be opened.
        KeyError, ValueError: an annotation lacks a value.
    """
    detect = FaceKeypoints(precision="fp32", points68=True)
    analyze = Analyzer()
    helen, lfpw = (read_photos(data / name) for name in ("helen", "lfpw"))
    with np.load(data / "heads.npz") as file:
        heads = np.asarray(file["keypoints"], np.float64)
    return {
        "machine": describe_machine(threads=1),
        "sha256": hashlib.sha256(analyze.path.read_bytes()).hexdigest(),
        "eyes": {
            "helen": measure_openings(
                detect, analyze, helen, openings29(read_points29(data / "helen"))
            ),
            "lfpw": measure_openings(
                detect, analyze, lfpw, openings68(read_points68(data / "lfpw"))
            ),
        },
        "mouth": measure_yawns(detect, analyze, data / "varied"),
        **measure_heads(heads, np.random.default_rng(0)),
        "films": [measure_films(detect, analyze, data, px, films, still_s) for px in FACE_PX],
        "time_ms": measure_time(detect, analyze, helen),
    }


def measure_films(
    detect: FaceKeypoints, analyze: Analyzer, data: Path, face_px: int, films: int, still_s: float
) -> dict[str, Any]:
    """Blinks that are found, and those that are invented, in faces of one size."""
    rng = np.random.default_rng(face_px)
    actors = read_actors(data / "permissive", _ACTORS_PER_FILM * (films + 1), face_px, rng)
    counts = Counts()
    for film in range(films):
        cast = actors[film * _ACTORS_PER_FILM : (film + 1) * _ACTORS_PER_FILM]
        blinks = [draw_blinks(_FILM_S, rng) for _ in cast]
        found = watch(detect, analyze, cast, blinks, _FILM_S, rng)
        for own, events in zip(blinks, found, strict=True):
            counts.add(own, of_kind(events, "blink"))
    cast = actors[-_STILL_ACTORS:]
    still = watch(detect, analyze, cast, [[] for _ in cast], still_s, rng)
    invented = {
        kind: sum(len(of_kind(events, kind)) for events in still)
        for kind in ("blink", "eyes_closed", "yawn", "talking", "nod", "shake")
    }
    return {
        "face_px": face_px,
        **counts.summary(),
        "still_faces": len(cast),
        "still_s": still_s,
        "invented": invented,
    }


def measure_time(detect: FaceKeypoints, analyze: Analyzer, photos: list[Photo]) -> dict[str, float]:
    """Processor time of all measures of one face, and of an inference pass of its keypoints.

    Returns:
        `median` and `keypoints`, the median of each, ms; `ratio`, the median of their ratios, which
        are measured in turn, so that other programs slow both alike.
    """
    image = np.repeat(photos[0].grey[..., None], 3, axis=2)
    [face, *_] = detect(image)
    crop = np.zeros((1, CROP, CROP), np.uint8)
    times = []
    for number in range(_ROUNDS):
        # Another face each time, as fits to the same one are kept.
        moved = replace(face, keypoints=face.keypoints + np.float32(1e-3 * number))
        start = time.process_time_ns()
        analyze(image, [moved])
        middle = time.process_time_ns()
        detect.model(crop)
        times.append((middle - start, time.process_time_ns() - middle))
    analysis, keypoints = np.array(times).T / 1e6
    medians = {"median": analysis, "keypoints": keypoints, "ratio": analysis / keypoints}
    return {key: round(float(np.median(values)), 3) for key, values in medians.items()}


def failures(results: dict[str, Any]) -> list[str]:
    """What the results exceed, a line each."""
    lines = []
    difference = results["eyes"]["helen"]["difference"]
    if difference > _MAX_OPENING_DIFFERENCE:
        lines.append(f"eye openings of helen are off by {difference} eye widths in the mean")
    if results["mouth"]["area"] < _MIN_YAWN_AREA:
        lines.append(f"yawns: the area under the curve is {results['mouth']['area']}")
    for film in results["films"]:
        size = film["face_px"]
        if film["f1"] < _MIN_F1[size]:
            lines.append(f"blinks of faces of {size} px: F1 is {film['f1']}")
        if film["invented"]["blink"]:
            lines.append(f"faces of {size} px: {film['invented']['blink']} invented blinks")
    return lines


def table(results: dict[str, Any]) -> str:
    """The results as Markdown tables: errors of measures, and blinks."""
    lines = header("measure", "against", "mean difference", "bias", "within the probable error")
    for name, eyes in results["eyes"].items():
        lines.append(row("eye opening", f"{name}, {eyes['eyes']} eyes", *_errors(eyes, "{:.3f}")))
    lines.append(
        row("`distance_cm`", "heads, focal length given", *_errors(results["distance"], "{:.1%}"))
    )
    facing, mouth = results["facing"], results["mouth"]
    lines += [
        "",
        *header("probability or opening", "against", "area under the curve"),
        row("`facing`", "heads that face the camera within 20°", f"{facing['area']:.3f}"),
        row("`lip_opening`", f"drivers, {mouth['yawning']} of {mouth['faces']} yawn",
            f"{mouth['area']:.3f}"),
        "",
        *header("faces", "made blinks", "precision", "recall", "F1", "invented in still films"),
    ]  # fmt: skip
    for film in results["films"]:
        shares = (f"{film[key]:.3f}" for key in ("precision", "recall", "f1"))
        minutes = film["still_faces"] * film["still_s"] / 60
        invented = f"{film['invented']['blink']} in {minutes:g} minutes"
        lines.append(row(f"{film['face_px']} px wide", str(film["blinks"]), *shares, invented))
    lines += [
        "",
        *header("processor time", "of an inference pass of the keypoint network on a face"),
        row("all measures of a face", f"{results['time_ms']['ratio']:.2f}"),
    ]
    return "\n".join(lines)


def _errors(found: dict[str, float], form: str) -> list[str]:
    values = [form.format(found["difference"]), form.format(found["bias"])]
    return [*values, f"{found['within']:.0%}"]


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report_results(
        lambda: run(args.data, args.films, args.still),
        table,
        args.output,
        lambda key: f"no {key} in the data",
        failures,
    )


if __name__ == "__main__":
    sys.exit(main())
