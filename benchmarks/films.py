"""`python -m benchmarks.films`: times, upright pictures and copies of films of many kinds."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.datasets.made_films import RECIPES, Recipe, has_ffmpeg, make_film, true_times
from benchmarks.datasets.sample import SAMPLE
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.reporting.markdown import header, row
from edge.alignment import align
from edge.errors import SourceError
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.image import Rgb, load_image
from edge.run.command import main as edge_run
from edge.video.tracker import Tracker

_SIZE = 256  # px, of the pictures
_PEOPLE = 40
_CUTS = ((30, 30), (30, 5), (10, 10), (1, 2))  # frames a second, frames between two cuts


def run(photos: Path | None) -> dict[str, Any]:
    """Measure films of all kinds, and with photos of people also cuts between them."""
    if not has_ffmpeg():
        raise SourceError("the films are made with ffmpeg and ffprobe, which are not on the PATH")
    detect = FaceKeypoints(precision="fp32")
    sample = load_image(SAMPLE)
    picture = align(sample, detect(sample)[0], _SIZE)
    films = {name: measure_film(recipe, picture, detect) for name, recipe in RECIPES.items()}
    cuts = measure_cuts(load_people(photos, detect), detect) if photos else {}
    return {"machine": describe_machine(threads=1), "films": films, "cuts": cuts}


def measure_film(recipe: Recipe, picture: Rgb, detect: FaceKeypoints) -> dict[str, Any]:
    """Errors of the times in the records and in the copy, and of the face's place."""
    (face,) = detect(picture)
    with tempfile.TemporaryDirectory() as folder:
        path = make_film(recipe, picture, Path(folder))
        records, copy = path.with_name("records.jsonl"), path.with_name("copy.mp4")
        arguments = ["--precision", "fp32", "--json", str(records)]
        status = edge_run([str(path), *arguments, "-o", str(copy)])
        found = [json.loads(line) for line in records.read_text().splitlines()]
        truth = true_times(path)
        middle = truth[len(truth) // 2]
        edge_run([str(path), *arguments, "--no-picture", "--start", f"{middle - 1e-6}"])
        first = json.loads(records.read_text().splitlines()[0])["frame"]
        return {
            "status": status,
            "frames": len(found),
            "frames_missing": len(truth) - len(found),
            "time_error_s": _largest([record["time"] for record in found], truth),
            "copy_time_error_s": _largest(true_times(copy), truth),
            "start_is_right": first == len(truth) // 2,
            "keypoint_error_px": round(max(_distance(record, face) for record in found), 2),
        }


def _largest(times: Sequence[float], truth: Sequence[float]) -> float:
    """The largest difference of two series, s; infinite if they are of different length."""
    if len(times) != len(truth):
        return float("inf")
    return round(float(np.abs(np.subtract(times, truth)).max()), 4)


def _distance(record: dict[str, Any], face: Face) -> float:
    """The mean distance of a record's keypoints from those of the still picture, px."""
    points = [(point["x"], point["y"]) for point in record["faces"][0]["keypoints"].values()]
    return float(np.linalg.norm(np.array(points) - face.keypoints, axis=1).mean())


def load_people(folder: Path, detect: FaceKeypoints) -> list[Rgb]:
    """Portraits of 40 different people, uint8 `(256, 256, 3)`, from a folder of photos."""
    people: list[Rgb] = []
    tracker = Tracker(detect, max_gap=1e9)
    known: set[int | None] = set()
    for time, path in enumerate(sorted(folder.glob("*.jpg"))):
        image = load_image(path)
        faces = detect(image)
        if len(faces) != 1:
            continue
        portrait = align(image, faces[0], _SIZE)
        # The same person's photos follow one another in such folders: they keep their number.
        numbers = [face.track_id for face in tracker(portrait, float(time))]
        if len(numbers) == 1 and numbers[0] not in known:
            people.append(portrait)
        known.update(numbers)
        if len(people) == _PEOPLE:
            break
    return people


def measure_cuts(people: list[Rgb], detect: FaceKeypoints) -> dict[str, Any]:
    """The share of frames in which a number is one that another person had before."""
    rng = np.random.default_rng(0)
    shows = {"one place": people, "slides": [_slide(person, rng) for person in people]}
    results = {}
    for name, pictures in shows.items():
        for rate, hold in _CUTS:
            tracker, wrong = Tracker(detect), 0
            owners: dict[int | None, int] = {}
            for number in range(len(pictures) * hold):
                person = number // hold
                noise = rng.normal(0, 2, pictures[person].shape)
                frame = np.clip(pictures[person] + noise, 0, 255).astype(np.uint8)
                faces = tracker(frame, number / rate)
                wrong += any(owners.setdefault(face.track_id, person) != person for face in faces)
            results[f"{name}, {rate} fps, cut every {hold} frames"] = {
                "people": len(pictures),
                "numbers": len(owners),
                "wrong": round(wrong / (len(pictures) * hold), 4),
            }
    return results


def _slide(portrait: Rgb, rng: np.random.Generator) -> Rgb:
    """A portrait somewhere on a plain ground of 640×360 px."""
    slide = np.empty((360, 640, 3), np.uint8)
    slide[:] = rng.integers(20, 230, 3)
    x, y = int(rng.integers(0, 640 - _SIZE)), int(rng.integers(0, 360 - _SIZE))
    slide[y : y + _SIZE, x : x + _SIZE] = portrait
    return slide


def table(results: dict[str, Any]) -> str:
    """The results as Markdown tables."""
    lines = header(
        "film", "frames", "missing", "time error", "of the copy", "--start", "box error", "status"
    )
    for name, film in results["films"].items():
        lines.append(
            row(
                name,
                str(film["frames"]),
                str(film["frames_missing"]),
                f"{film['time_error_s']:.4f} s",
                f"{film['copy_time_error_s']:.4f} s",
                "right" if film["start_is_right"] else "wrong",
                f"{film['keypoint_error_px']:.1f} px",
                str(film["status"]),
            )
        )
    if results["cuts"]:
        lines += ["", *header("cuts", "people", "numbers", "frames under another's number")]
        lines += [
            row(name, str(cut["people"]), str(cut["numbers"]), f"{cut['wrong']:.1%}")
            for name, cut in results["cuts"].items()
        ]
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.films",
        description="Make films of many kinds with ffmpeg, read them, and compare with the truth.",
    )
    parser.add_argument(
        "--photos", metavar="DIR", type=Path, help="photos of people, for cuts between them"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=Path, help="write the results as JSON"
    )
    args = parser.parse_args(argv)
    return report_results(lambda: run(args.photos), table, args.output)


if __name__ == "__main__":
    sys.exit(main())
