"""`python -m benchmarks.submission`: predictions for Kaggle's *Facial Keypoints Detection*.

Made with the network that was trained on Kaggle's data and research sets, which is not embedded.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

import numpy as np

from benchmarks.datasets.kaggle import read_images
from benchmarks.harness.exit_status import report
from benchmarks.harness.project import ROOT
from edge.facekeypoints import FaceKeypoints
from edge.files import write_atomically
from edge.formats.tables import open_table, parse_whole, read_rows
from edge.networks.precision import keypoint_file

RESEARCH = ROOT / "export" / "models" / "research" / "keypoints.onnx"
_SIDE = 96.0  # px; Kaggle's coordinates are between 0 and this


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.submission",
        description="Predict the keypoints of Kaggle's test images and write submission.csv.",
    )
    add = parser.add_argument
    add("images", metavar="TEST", type=Path, help="Kaggle's test.csv, or its zip")
    add("lookup", metavar="LOOKUP", type=Path, help="Kaggle's IdLookupTable.csv")
    add("--model", type=keypoint_file, default=RESEARCH, metavar="FILE",
        help="an .onnx file, or small (default: that in export/models/research/)")  # fmt: skip
    add("-o", "--output", type=Path, default=Path("submission.csv"), metavar="FILE",
        help="default: %(default)s")  # fmt: skip
    return parser.parse_args(argv)


def run(images: Path, lookup: Path, model: Path, output: Path) -> int:
    """Write the submission; returns the number of its values.

    Raises:
        EdgeError: the model cannot be used.
        OSError, ValueError: a file cannot be read or written.
        KeyError: the lookup table refers to an unknown image or keypoint.
    """
    values = predict_values(images, model)
    with open_table(lookup) as file:
        rows = [*read_rows(file)[1]]
    lines = [
        (row["RowId"], f"{values[parse_whole(row['ImageId'])][row['FeatureName']]:.4f}")
        for row in rows
    ]
    with write_atomically(output) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("RowId", "Location"))
        writer.writerows(lines)
    return len(lines)


def predict_values(images: Path, model: Path) -> dict[int, dict[str, float]]:
    """Coordinates of each image, clipped to it, px: by ImageId, then by Kaggle's column name."""
    by_id = read_images(images)
    detect = FaceKeypoints(model=model, precision=None)
    keypoints = detect.crops(np.stack(list(by_id.values()))).keypoints
    coordinates = np.clip(keypoints.reshape(len(keypoints), -1), 0.0, _SIDE)
    columns = [f"{name}_{axis}" for name in detect.keypoint_names for axis in "xy"]
    return {
        image_id: dict(zip(columns, map(float, row), strict=True))
        for image_id, row in zip(by_id, coordinates, strict=True)
    }


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)

    def measure() -> str:
        count = run(args.images, args.lookup, args.model, args.output)
        return f"{args.output}: {count} values"

    return report(measure, lambda key: f"{args.lookup}: no column, image or keypoint {key}")


if __name__ == "__main__":
    sys.exit(main())
