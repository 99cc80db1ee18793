"""`python -m benchmarks.submission`: the file that Kaggle's *Facial Keypoints Detection* scores."""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets.kaggle import read_pictures
from benchmarks.harness.exit_status import report
from edge.networks.keypoint_model import EMBEDDED, KeypointModel
from edge.refinement import predict_crops

_SIDE = 96.0  # px; Kaggle's coordinates lie between 0 and this


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.submission",
        description="Predict what Kaggle asks for and write submission.csv.",
    )
    add = parser.add_argument
    add("images", metavar="TEST", type=Path, help="Kaggle's test.csv, or its zip")
    add("lookup", metavar="LOOKUP", type=Path, help="Kaggle's IdLookupTable.csv")
    add("--model", type=Path, default=EMBEDDED, metavar="FILE",
        help="an .onnx file (default: the embedded one)")  # fmt: skip
    add("-o", "--output", type=Path, default=Path("submission.csv"), metavar="FILE",
        help="default: %(default)s")  # fmt: skip
    return parser.parse_args(argv)


def run(images: Path, lookup: Path, model: Path, output: Path) -> int:
    """Write the submission; returns how many values it has."""
    pictures = read_pictures(images)
    network = KeypointModel(model)
    points = predict_crops(network, np.stack(list(pictures.values())))[0]
    names = [f"{name}_{axis}" for name in network.keypoint_names for axis in "xy"]
    columns = {name: i for i, name in enumerate(names)}
    values = np.clip(points.reshape(len(points), -1), 0.0, _SIDE)
    found = dict(zip(pictures, values, strict=True))
    with lookup.open(encoding="utf-8", newline="") as file:
        asked = list(csv.DictReader(file))
    rows = [(row["RowId"], _value(row, found, columns)) for row in asked]
    part = output.with_name(f"{output.name}.part")
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("RowId", "Location"))
        writer.writerows((number, f"{value:.4f}") for number, value in rows)
    part.replace(output)
    return len(rows)


def _value(
    row: dict[str, str], found: dict[str, NDArray[np.float32]], columns: dict[str, int]
) -> float:
    return float(found[row["ImageId"]][columns[row["FeatureName"]]])


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)

    def measure() -> str:
        count = run(args.images, args.lookup, args.model, args.output)
        return f"{args.output}: {count} values"

    return report(
        measure, missing=lambda key: f"{args.lookup}: no column, picture or keypoint {key}"
    )


if __name__ == "__main__":
    sys.exit(main())
