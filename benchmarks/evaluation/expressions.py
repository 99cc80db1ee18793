"""`python -m benchmarks.evaluation.expressions DATA`: expressions on other heads and on photos.

Other heads: the correlations of the embedded network with the true activations, as its training
measured them on heads that it did not see (`train.expressions`). Photos: `smile` of people from the
front who smile or do not, of `permissive/`, and `jaw_open` of drivers who yawn or do not, of
`varied/`; the people whose mean face the network holds are not among them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.datasets.yawns import SET, is_yawning
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.reporting.markdown import header, row
from edge.analysis.expressions import Expressions
from edge.evaluation.metrics import area_under_curve
from edge.face import Face
from edge.facekeypoints import FaceKeypoints

_SMILING, _NEUTRAL = "/smiling_front/", "/neutral_front/"  # in `source` of a photo
_MIN_CORRELATION = 0.9
_MIN_AREA = {"smile": 0.85, "jaw_open": 0.95}
_ROUNDS = 200  # of the measured time


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; a usage error exits with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.evaluation.expressions",
        description="Measure how well expressions are told, on heads and on photos.",
    )
    add = parser.add_argument
    add("data", metavar="DATA", type=Path, help="folder with permissive/ and varied/")
    add("-o", "--output", metavar="FILE", type=Path, help="file for the results as JSON")
    return parser.parse_args(argv)


def run(data: Path) -> dict[str, Any]:
    """Measure everything.

    Raises:
        EdgeError: a photo or a network cannot be read.
        OSError: a file cannot be opened.
        KeyError, ValueError: an annotation lacks a value.
    """
    detect = FaceKeypoints(precision="fp32", points68=True, max_faces=1)
    tell = Expressions()
    permissive = _rows(data / "permissive")
    groups = {
        key: [r["image"] for r in permissive if part in r.get("source", "")]
        for key, part in (("smiling", _SMILING), ("neutral", _NEUTRAL))
    }
    drivers = [r["image"] for r in _rows(data / "varied") if r["set"] == SET]
    smiling, neutral = (
        _faces(detect, data / "permissive", groups[key]) for key in ("smiling", "neutral")
    )
    yawning, others = (
        _faces(detect, data / "varied", [name for name in drivers if is_yawning(name) is does])
        for does in (True, False)
    )
    return {
        "machine": describe_machine(threads=1),
        "heads": {
            name: round(value, 3) for name, value in zip(tell.names, tell.correlations, strict=True)
        },
        "photos": {
            "smile": compare(tell, "smile", smiling, neutral),
            "jaw_open": compare(tell, "jaw_open", yawning, others),
        },
        "time_ms": measure_time(tell, smiling[0]),
    }


def _rows(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "annotations.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _faces(detect: FaceKeypoints, folder: Path, names: Sequence[str]) -> list[Face]:
    found = (detect(folder / name) for name in names)
    return [faces[0] for faces in found if faces]


def compare(
    tell: Expressions, name: str, there: Sequence[Face], absent: Sequence[Face]
) -> dict[str, float]:
    """An expression's activations in faces that have it and faces that do not."""
    column = tell.names.index(name)
    positives, negatives = (tell.raw(faces)[:, column] for faces in (there, absent))
    return {
        "faces": len(positives),
        "others": len(negatives),
        "mean": round(float(np.clip(positives, 0, 1).mean()), 3),
        "mean_of_others": round(float(np.clip(negatives, 0, 1).mean()), 3),
        "area": round(float(area_under_curve(positives, negatives)), 3),
    }


def measure_time(tell: Expressions, face: Face) -> float:
    """Median processor time of one face, ms."""
    times = []
    for _ in range(_ROUNDS):
        start = time.process_time_ns()
        tell(face)
        times.append((time.process_time_ns() - start) / 1e6)
    return round(float(np.median(times)), 3)


def failures(results: dict[str, Any]) -> list[str]:
    """What the results miss, a line each."""
    lines = [
        f"{name}: the correlation is {value}"
        for name, value in results["heads"].items()
        if value < _MIN_CORRELATION
    ]
    for name, found in results["photos"].items():
        if found["area"] < _MIN_AREA[name]:
            lines.append(f"{name}: the area under the curve is {found['area']}")
    return lines


def table(results: dict[str, Any]) -> str:
    """The results as Markdown tables: other heads, and photos."""
    lines = header("expression", "correlation on other heads")
    lines += [row(f"`{name}`", f"{value:.3f}") for name, value in results["heads"].items()]
    lines += [
        "",
        *header("expression", "photos", "mean with it", "without", "area under the curve"),
    ]
    for name, found in results["photos"].items():
        photos = f"{found['faces']} with it, {found['others']} without"
        means = (f"{found[key]:.2f}" for key in ("mean", "mean_of_others"))
        lines.append(row(f"`{name}`", photos, *means, f"{found['area']:.3f}"))
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report_results(
        lambda: run(args.data),
        table,
        args.output,
        lambda key: f"no {key} in the data",
        failures,
    )


if __name__ == "__main__":
    sys.exit(main())
