"""`python -m benchmarks.varied DATA`: very different faces, by set, age, race and gender code.

The labels are a teacher's, another network's predictions: not truth, but how often a face is found
and how far the points are from the teacher's tells in which groups the networks are weak. A face is
found if its points are at the face, not at a part of it (`benchmarks.evaluation.groups`). Distances
are those of the 15 keypoints, without each point's mean offset from the teacher, and of the 68
points if the model has them, in parts of the distance between the outer eye corners. Ages, races
and genders are the codes of the annotations.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmarks.evaluation.groups import measure_cells, predict_faces, read_labelled_faces
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.harness.project import embedded_models
from benchmarks.reporting.markdown import header, row
from edge.facekeypoints import FaceKeypoints
from edge.networks.keypoint_model import KeypointModel
from edge.networks.precision import keypoint_file

_MIN_FACES = 20  # of a cell that is judged


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; a usage error exits with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.varied",
        description="Measure detection and keypoints on groups of very different faces.",
    )
    add = parser.add_argument
    add("data", metavar="DATA", type=Path, help="folder with varied/")
    add("models", nargs="*", metavar="MODEL", type=keypoint_file,
        help=".onnx files, or small (default: the embedded ones)")  # fmt: skip
    add("--detector", metavar="FILE", default="face",
        help="a detector's .onnx file (default: the embedded one)")  # fmt: skip
    add("-o", "--output", metavar="FILE", type=Path, help="file for the results as JSON")
    return parser.parse_args(argv)


def run(data: Path, models: list[Path], detector: str) -> dict[str, Any]:
    """Measure each model with the detector.

    Raises:
        EdgeError: a photo or a network cannot be read.
        OSError: the annotations cannot be opened.
        KeyError, ValueError: a line of the annotations lacks a value, or no face is found.
    """
    labelled = read_labelled_faces(data / "varied")
    rows = []
    for path in models or embedded_models():
        points68 = KeypointModel(path).has_points68
        detect = FaceKeypoints(model=path, detector=detector, precision="fp32", points68=points68)
        predictions = predict_faces(detect, labelled)
        name = "/".join(Path(path).parts[-2:])  # the folder, as files have one name
        rows.append({"model": name, **measure_cells(labelled, predictions, _MIN_FACES)})
    return {"machine": describe_machine(threads=1), "models": rows}


def table(results: dict[str, Any]) -> str:
    """A Markdown table per model, one row per group, and its worst cells."""
    parts = []
    for measured in results["models"]:
        lines = header(
            *("group", "faces", "found", "found at 90°"),
            *("15 points to the teacher", "68 points to the teacher"),
        )
        lines += [_group_row(name, group) for name, group in measured["groups"].items()]
        worst = measured["worst"]
        lines.append(
            f"\nCells of age, race and gender with at least {_MIN_FACES} faces: "
            f"{worst['cells']}; least found {worst['found']:.1%} ({worst['found_cell']}); "
            f"farthest from the teacher {worst['ratio']:.2f} × the mean ({worst['ratio_cell']})"
        )
        parts.append("\n".join([f"{measured['model']}\n", *lines]))
    return "\n\n".join(parts)


def _group_row(name: str, group: dict[str, Any]) -> str:
    distances = (f"{group[key]:.2%}" if key in group else "–" for key in ("distance", "distance68"))
    found = (f"{group[key]:.1%}" for key in ("found", "found_90"))
    return row(name, str(group["faces"]), *found, *distances)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report_results(
        lambda: run(args.data, args.models, args.detector),
        table,
        args.output,
        lambda key: f"no {key} in the annotations",
    )


if __name__ == "__main__":
    sys.exit(main())
