"""`python -m train.calibrate RUN --data FILE`: calibrate `error` on hand-labelled faces.

The radius of a network is calibrated on the labels that it was trained on. If these were predicted
by another network, the variation between human annotators is missing from it. Fifty to a hundred
hand-labelled faces suffice to measure that; only a factor per keypoint changes.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from train.errors import DataError, RunError
from train.exit_status import report
from train.run_record import CALIBRATION, MODEL, SETS, VALIDATION, read_record, write_record

if TYPE_CHECKING:
    from train.data.faces import Faces
    from train.keypoints.error_calibration import ErrorScale

_MIN_FACES = 30  # the median of fewer has a standard error of more than a fifth
_LAYER = "calibrated_error"


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; a usage error exits with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m train.calibrate",
        description="Scale the error radius of a keypoint network so that it contains half of the "
        "points of hand-labelled faces. The predicted keypoints do not change.",
    )
    add = parser.add_argument
    add("run", metavar="RUN", help="folder of a finished run of a keypoint network")
    add("--data", required=True, metavar="FILE",
        help="labelled faces from train.prepare (.npz), or Kaggle's training.csv")  # fmt: skip
    add("--keep-offsets", action="store_true",
        help="count constant offsets between labels and predictions as error")  # fmt: skip
    add("-o", "--output", required=True, metavar="DIR", help="folder for the calibrated run")
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Calibrate as the command line says; returns what was written to `run.json`."""
    from train.checkpoints import load, save
    from train.data.faces import hash_file, read_faces

    source = Path(args.run)
    folder = Path(args.output)
    record = read_record(source)
    model = _check_outputs(load(source / MODEL), source / MODEL)
    faces = read_faces(args.data).crops()
    if len(faces) < _MIN_FACES:
        raise DataError(f"{args.data}: {len(faces)} faces; at least {_MIN_FACES} are needed")
    scale, share = _measure(model, faces, args.keep_offsets)
    folder.mkdir(parents=True, exist_ok=True)
    save(_with_scaled_error(model, scale.p50), folder / MODEL)
    _copy_sets(source, folder)
    record["error90"] = scale.error90
    record["calibrated"] = {
        "faces": len(faces),
        "sha256": hash_file(args.data),
        "factor": np.round(scale.p50, 3).tolist(),
        "share_inside_before": round(share, 4),
    }
    write_record(record, folder)
    return record


def _check_outputs(model: Any, path: Path) -> Any:
    outputs = getattr(model, "output", None)
    if not isinstance(outputs, dict) or not {"keypoints", "error"} <= outputs.keys():
        raise RunError(f"{path}: expected a keypoint network with the outputs keypoints and error")
    return model


def _measure(model: Any, faces: Faces, keep_offsets: bool) -> tuple[ErrorScale, float]:
    """The factors, and the share of labelled points inside the radius before scaling."""
    from edge.evaluation.annotation_offsets import add_offsets, measure_offsets
    from edge.evaluation.metrics import distances
    from train.keypoints.error_calibration import fit_scale

    outputs = model.predict(np.ascontiguousarray(faces.images)[..., None], verbose=0)
    keypoints = outputs["keypoints"]
    if not keep_offsets:
        keypoints = add_offsets(keypoints, measure_offsets(keypoints, faces.keypoints))
    distance = distances(keypoints, faces.keypoints)
    is_labelled = ~np.isnan(distance)
    inside = (distance <= outputs["error"])[is_labelled]
    return fit_scale(outputs["error"], distance), float(inside.mean())


def _with_scaled_error(model: Any, factor: Any) -> Any:
    """The model with its error multiplied by factors `(15,)`, in one layer.

    A second calibration replaces that layer by one with the product of both.
    """
    import keras
    from keras import layers

    earlier = next((layer for layer in model.layers if layer.name == _LAYER), None)
    error = model.output["error"] if earlier is None else earlier.input
    if earlier is not None:
        factor = factor * np.asarray(earlier.scale)
    scaled = layers.Rescaling(np.asarray(factor).tolist(), name=_LAYER)(error)
    return keras.Model(model.inputs[0], {**model.output, "error": scaled}, name=model.name)


def _copy_sets(source: Path, folder: Path) -> None:
    """Copy the face sets that `export` reads."""
    if source.resolve() == folder.resolve():
        return
    for name in (SETS, CALIBRATION, VALIDATION):
        if (source / name).exists():
            shutil.copy(source / name, folder / name)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report(lambda: _summary(args.output, run(args)["calibrated"]))


def _summary(folder: str, calibrated: dict[str, Any]) -> str:
    factors = calibrated["factor"]
    return (
        f"{folder}: error multiplied by {min(factors):.2f} to {max(factors):.2f}; before, it "
        f"contained {calibrated['share_inside_before']:.0%} of the points of "
        f"{calibrated['faces']} faces"
    )


if __name__ == "__main__":
    sys.exit(main())
