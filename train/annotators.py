"""`python -m train.annotators`: measure the mean offsets between groups of annotators of a file.

Some annotators label the outer edge of the lips, others the inner edge. A network trained on both,
and on further sets, predicts each keypoint consistently; the mean offset of a group's labels from
its predictions characterises the group. The common scheme is the mean over all rows, symmetric
between the sides of the face because training includes mirrored faces.
"""

from __future__ import annotations

import argparse
import json
import sys

import numpy as np
from numpy.typing import NDArray

from edge.cropped_faces import predict_crops
from edge.evaluation.annotation_offsets import measure_offsets
from edge.keypoints import KEYPOINT_NAMES, MIRROR_ORDER
from edge.networks.keypoint_model import KeypointModel
from train.data.faces import read_faces
from train.errors import DataError
from train.exit_status import report

CONVERTED = "converted"
_MIRROR_X = np.array([-1.0, 1.0])


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; a usage error exits with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m train.annotators",
        description="Measure the mean offsets between groups of annotators of one file, in the "
        "format of train/data/annotators.json.",
    )
    add = parser.add_argument
    add(
        "model",
        metavar="MODEL.onnx",
        help="a keypoint model trained on all groups and on other sets",
    )
    add("--data", required=True, metavar="FILE", help="Kaggle's training.csv, its zip, or .npz")
    add("--from-row", type=int, nargs="*", default=[], metavar="ROW",
        help="first row of each further group, counting complete rows from 1")  # fmt: skip
    return parser.parse_args(argv)


def to_common_scheme(
    predicted: NDArray[np.floating], labels: NDArray[np.floating], group: NDArray[np.integer]
) -> list[NDArray[np.float64]]:
    """The offsets that convert each group's labels to the common scheme.

    Args:
        predicted: keypoints predicted by a network, `(N, 15, 2)` px.
        labels: annotated keypoints, `(N, 15, 2)` px.
        group: the group of each row, `(N,)`, counted from 0.

    Returns:
        Offsets `(15, 2)` for `edge.evaluation.annotation_offsets.add_offsets`: one array per group,
        and a last one for labels that agree with the network's predictions.
    """
    counts = np.bincount(group)
    offsets = [
        measure_offsets(predicted[group == g], labels[group == g]) for g in range(len(counts))
    ]
    mean = np.average(offsets, axis=0, weights=counts)
    scheme = (mean + mean[list(MIRROR_ORDER)] * _MIRROR_X) / 2
    return [*(scheme - of_group for of_group in offsets), scheme]


def run(args: argparse.Namespace) -> dict[str, dict[str, list[float]]]:
    """Measure the offsets: a table from group to keypoint to `[x, y]`."""
    faces = read_faces(args.data).crops()
    complete = np.flatnonzero(~np.isnan(faces.keypoints).any(axis=(1, 2)))
    faces = faces.take(complete)
    starts = sorted(args.from_row)
    if not len(faces) or (starts and not 1 < starts[0] <= starts[-1] <= len(faces)):
        raise DataError(
            f"{args.data}: has {len(faces)} complete rows; every group needs at least one"
        )
    model = KeypointModel(args.model)
    predicted = predict_crops(model, np.ascontiguousarray(faces.images))[0]
    group = np.searchsorted(starts, np.arange(1, len(faces) + 1), side="right")
    names = [*(f"group_{i + 1}" for i in range(len(starts) + 1)), CONVERTED]
    offsets = to_common_scheme(predicted, faces.keypoints, group)
    return {
        name: dict(zip(KEYPOINT_NAMES, np.round(of_group, 4).tolist(), strict=True))
        for name, of_group in zip(names, offsets, strict=True)
    }


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report(lambda: json.dumps(run(args), indent=2))


if __name__ == "__main__":
    sys.exit(main())
