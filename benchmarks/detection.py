"""`python -m benchmarks.detection DATA DETECTOR.onnx`: recall and precision of face detectors.

- helen: recall on photos with one annotated face each.
- facemask: recall and precision on faces with and without masks; every fifth photo, which training
  skips.
- negatives, permissive/no_face: false positives per photo without faces; every fifth photo, which
  training skips. The second folder may be missing.
- small faces: recall on helen's faces, shrunk and placed on a larger canvas.
- rolls: helen's photos rotated in steps of 15°, by detector and keypoint network together: faces
  found, with keypoints within 10 % of the eye span, and with keypoints the wrong way up.
- varied: recall on very different faces, upright and rotated by 90°, if that folder exists.
- time at 320×240 and 640×480 px, one thread, interleaved.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.datasets.annotated_boxes import AnnotatedPhoto, read_annotated_photos
from benchmarks.datasets.photos import Photo, read_photos
from benchmarks.evaluation.detection_by_roll import (
    candidates_per_photo,
    measure_rolls,
    measure_sets,
)
from benchmarks.evaluation.detection_metrics import is_found, measure_precision, on_canvas
from benchmarks.evaluation.detectors import CASCADES, Detect, open_edge, open_haar, open_yunet
from benchmarks.evaluation.face_score import HELD_OUT
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.harness.timing import Call, RunLength, time_interleaved
from benchmarks.latency.model_size import count_parameters
from benchmarks.reporting.markdown import header, row
from edge.facekeypoints import FaceKeypoints
from edge.image import Grey, load_image, to_grey
from edge.networks.contract import Precision
from edge.networks.face_detector import FaceDetector
from edge.networks.precision import int8_file, is_int8
from edge.resize import resize

_SIZES = (320, 640)  # px, of the longer side
_SMALL_PX = (12, 16, 20, 24, 32)  # widths of faces' boxes
_SHAPES = ((240, 320), (480, 640))
_ROUNDS = 40
_HELD_OUT = slice(HELD_OUT - 1, None, HELD_OUT)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.detection",
        description="Measure recall, precision and speed of face detectors on annotated photos.",
    )
    add = parser.add_argument
    add("data", metavar="DATA", type=Path, help="folder with helen/, facemask/ and negatives/")
    add("detector", metavar="DETECTOR", type=Path, help="our detector's .onnx file")
    add("--yunet", metavar="FILE", type=Path, help="YuNet's .onnx file, to compare with it")
    add("-o", "--output", metavar="FILE", type=Path, help="write the results as JSON")
    return parser.parse_args(argv)


@dataclass(frozen=True, slots=True)
class EvaluationSets:
    """The photos that detectors are measured on.

    Attributes:
        helen: photos with one annotated face each.
        masks: photos with any number of annotated faces.
        negatives: photos without faces, uint8 `(H, W)`.
        no_face: pictures without faces that detectors stumble over, likewise; may be empty.
    """

    helen: list[Photo]
    masks: list[AnnotatedPhoto]
    negatives: list[Grey]
    no_face: list[Grey]


def run(data: Path, detector: Path, yunet: Path | None) -> dict[str, Any]:
    """Measure each detector on every set.

    Args:
        data: folder with helen/, facemask/ and negatives/.
        detector: our detector's `.onnx` file; its int8 file is measured too if it is beside it.
        yunet: YuNet's `.onnx` file, or None.
    """
    sets = read_evaluation_sets(data)
    rows = []
    for size in _SIZES:
        for name, detect in _open_all(size, detector, yunet).items():
            rows.append({"detector": name, "detect_size": size, **measure(detect, sets)})
            print(json.dumps(rows[-1]), file=sys.stderr)
    return {
        "machine": describe_machine(threads=1),
        "version": FaceDetector(detector).metadata["model_version"],
        "parameters": count_parameters(detector),
        "size_bytes": detector.stat().st_size,
        "detectors": rows,
        "rolls": {
            name: measure_any_roll(path, sets.helen, data / "varied")
            for name, path in _our_files(detector).items()
        },
        "time": measure_time(sets.helen[0].grey, detector, yunet),
    }


def measure_any_roll(detector: Path, helen: list[Photo], varied: Path) -> dict[str, Any]:
    """Our detector with the embedded keypoint network at 320 px, on faces of any roll."""
    precision: Precision = "int8" if is_int8(detector) else "fp32"
    detect = FaceKeypoints(detector=detector, precision=precision)
    return {
        "candidates_per_photo": candidates_per_photo(detect, helen),
        "helen": measure_rolls(detect, helen),
        "varied": measure_sets(detect, varied) if varied.is_dir() else {},
    }


def _open_all(size: int, detector: Path, yunet: Path | None) -> dict[str, Detect]:
    detectors = {name: open_edge(size, path) for name, path in _our_files(detector).items()}
    if yunet:
        detectors["YuNet"] = open_yunet(yunet, size)
    return detectors | {name: open_haar(name, size) for name in CASCADES}


def _our_files(detector: Path) -> dict[str, Path]:
    """Our detector's file, and its int8 file if that is beside it."""
    quantised = int8_file(detector)
    return {"edge": detector} | ({"edge int8": quantised} if quantised.is_file() else {})


def read_evaluation_sets(data: Path) -> EvaluationSets:
    """Read helen's photos and the held-out parts of the other two sets.

    Raises:
        EdgeError: a photo cannot be read.
        OSError: annotations cannot be opened.
        KeyError, ValueError: an annotation is invalid.
    """
    return EvaluationSets(
        helen=read_photos(data / "helen"),
        masks=read_annotated_photos(data / "facemask")[_HELD_OUT],
        negatives=_read_held_out(data / "negatives"),
        no_face=_read_held_out(data / "permissive" / "no_face"),
    )


def _read_held_out(folder: Path) -> list[Grey]:
    return [to_grey(load_image(path)) for path in sorted(folder.glob("*.jpg"))[_HELD_OUT]]


def measure(detect: Detect, sets: EvaluationSets) -> dict[str, Any]:
    """Recall, precision and false positives of one detector."""
    return {
        "helen": {
            "faces": len(sets.helen),
            "found": sum(is_found(detect, photo) for photo in sets.helen),
        },
        "facemask": measure_precision(detect, sets.masks),
        "false_alarms_per_photo": _false_alarms(detect, sets.negatives),
        **({"false_alarms_no_face": _false_alarms(detect, sets.no_face)} if sets.no_face else {}),
        "small_faces": {
            str(width): round(
                float(np.mean([is_found(detect, on_canvas(p, width)) for p in sets.helen])), 4
            )
            for width in _SMALL_PX
        },
    }


def _false_alarms(detect: Detect, photos: list[Grey]) -> float:
    return round(float(np.mean([len(detect(grey).boxes) for grey in photos])), 4)


def measure_time(grey: Grey, detector: Path, yunet: Path | None) -> dict[str, Any]:
    """Minimum and median time of one detection, ms, by image size and detector, interleaved."""
    times = {}
    for height, width in _SHAPES:
        image = resize(grey, (height, width))
        calls: dict[str, Call] = {
            name: partial(FaceDetector(path), image, width)
            for name, path in _our_files(detector).items()
        }
        if yunet:
            calls["YuNet"] = partial(open_yunet(yunet, width), image)
        times[f"{width}×{height}"] = {
            name: {
                "least_ms": round(float(ms.min()), 3),
                "median_ms": round(float(np.median(ms)), 3),
            }
            for name, ms in time_interleaved(calls, RunLength(_ROUNDS, 0.0), warm_up=0).items()
        }
    return times


def table(results: dict[str, Any]) -> str:
    """The results as Markdown: detectors, then times."""
    widths = [f"{width} px" for width in _SMALL_PX]
    lines = header("detector", "at", "helen", "facemask found", "precision",
                   "false alarms a photo", *widths)  # fmt: skip
    for measured in results["detectors"]:
        masks, helen = measured["facemask"], measured["helen"]
        lines.append(
            row(
                measured["detector"],
                str(measured["detect_size"]),
                f"{helen['found']} of {helen['faces']}",
                f"{masks['found']:.1%}",
                f"{masks['precision']:.1%}",
                f"{measured['false_alarms_per_photo']:.3f}",
                *(f"{share:.0%}" for share in measured["small_faces"].values()),
            )
        )
    lines += [
        f"\n{measured['detector']}, {measured['detect_size']}: "
        f"{measured['false_alarms_no_face']:.3f} false alarms a picture of permissive/no_face"
        for measured in results["detectors"]
        if "false_alarms_no_face" in measured
    ]
    lines += [_rolls_line(name, rolls) for name, rolls in results.get("rolls", {}).items()]
    for shape, rows in results["time"].items():
        cells = ", ".join(f"{name} {ms['median_ms']:.2f} ms" for name, ms in rows.items())
        lines.append(f"\n{shape}: {cells}")
    return "\n".join(lines)


def _rolls_line(name: str, measured: dict[str, Any]) -> str:
    """The worst rotation of helen's photos, and the recall on varied faces."""
    rolls = list(measured["helen"].values())
    line = (
        f"\n{name}, worst rotation of helen: {min(r['found'] for r in rolls):.1%} found, "
        f"{min(r['within_10_percent'] for r in rolls):.1%} within 10 %, "
        f"{max(r['wrong_way_up'] for r in rolls):.1%} wrong way up; "
        f"{measured['candidates_per_photo']:.2f} candidates a photo"
    )
    varied = measured["varied"].get("all")
    if varied:
        line += f"; varied: {varied['upright']:.1%} found, {varied['rotated_90']:.1%} at 90°"
    return line


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report_results(
        lambda: run(args.data, args.detector, args.yunet),
        table,
        args.output,
        lambda key: f"{key} is missing in the annotations",
    )


if __name__ == "__main__":
    sys.exit(main())
