"""`python -m train.annotators`: by which constants do the people who labelled a file differ?

Some label the lips' outer edge, some the inner. A network that has seen both, and other sets
besides, puts each point at one place on every face; how far each group's labels lie from there, on
average, tells the groups apart. The file's scheme is the mean over its rows, made the same for both
sides of the face, since mirrored faces are trained on too.
"""

from __future__ import annotations

import argparse
import json
import sys

import numpy as np
from numpy.typing import NDArray

from edge.evaluation.annotation_offsets import measure_offsets
from edge.keypoints import KEYPOINT_NAMES, MIRROR_ORDER
from edge.networks.keypoint_model import KeypointModel
from edge.refinement import predict_crops
from train.data.faces import read_faces
from train.errors import DataError
from train.exit_status import report

CONVERTED = "converted"
_MIRROR_X = np.array([-1.0, 1.0])


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m train.annotators",
        description="Measure how groups of annotators of one file differ, as train/annotators.json "
        "keeps it.",
    )
    add = parser.add_argument
    add("model", metavar="MODEL.onnx", help="a network trained on the groups and on other sets")
    add("--data", required=True, metavar="FILE", help="Kaggle's training.csv, its zip, or .npz")
    add("--from-row", type=int, nargs="*", default=[], metavar="ROW",
        help="where a further group begins, counting the complete rows from 1")  # fmt: skip
    return parser.parse_args(argv)


def to_one_scheme(
    found: NDArray[np.floating], labels: NDArray[np.floating], group: NDArray[np.integer]
) -> list[NDArray[np.float64]]:
    """What to add to each group's labels, and to labels where the network puts the points.

    Args:
        found: where a network puts the points, `(N, 15, 2)` px.
        labels: `(N, 15, 2)` px.
        group: which group each row is of, `(N,)`, counted from 0.

    Returns:
        For each group, and last for a set that is labelled as the network sees it, offsets
        `(15, 2)` for `edge.evaluation.annotation_offsets.add_offsets`.
    """
    counts = np.bincount(group)
    apart = [measure_offsets(found[group == g], labels[group == g]) for g in range(len(counts))]
    mean = np.average(apart, axis=0, weights=counts)
    scheme = (mean + mean[list(MIRROR_ORDER)] * _MIRROR_X) / 2
    return [*(scheme - offsets for offsets in apart), scheme]


def run(args: argparse.Namespace) -> dict[str, dict[str, list[float]]]:
    """Measure what the command line asks for: by group, by keypoint, x and y."""
    faces = read_faces(args.data).crops()
    complete = np.flatnonzero(~np.isnan(faces.keypoints).any(axis=(1, 2)))
    faces = faces.take(complete)
    starts = sorted(args.from_row)
    if not len(faces) or (starts and not 1 < starts[0] <= starts[-1] <= len(faces)):
        raise DataError(f"{args.data}: has {len(faces)} complete rows; no group may be empty")
    found, _, _ = predict_crops(KeypointModel(args.model), np.ascontiguousarray(faces.images))
    group = np.searchsorted(starts, np.arange(1, len(faces) + 1), side="right")
    names = [*(f"group_{i + 1}" for i in range(len(starts) + 1)), CONVERTED]
    constants = to_one_scheme(found, faces.keypoints, group)
    return {
        name: dict(zip(KEYPOINT_NAMES, np.round(offsets, 4).tolist(), strict=True))
        for name, offsets in zip(names, constants, strict=True)
    }


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report(lambda: json.dumps(run(args), indent=2))


if __name__ == "__main__":
    sys.exit(main())
