"""`python -m train.calibrate MODEL.onnx --data FILE`: calibrate `error` on hand-labelled faces.

The radius of a network is calibrated on the labels that it was trained on. If these were predicted
by another network, the variation between human annotators is missing from it. Fifty to a hundred
hand-labelled faces suffice to measure that; only a factor per keypoint changes, and the factors
from `error` to the radius that contains 90 %. A model file is copied with both; the folder of a run
becomes another run, to be exported.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

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
        "points of hand-labelled faces, and measure the factors to the radius that contains 90 % "
        "of them. The predicted keypoints do not change.",
    )
    add = parser.add_argument
    add("model", metavar="MODEL",
        help="an .onnx file of a keypoint network, calibrated together with the int8 file beside "
        "it; small, the embedded smaller one; or the folder of a finished run")  # fmt: skip
    add("--data", required=True, metavar="FILE",
        help="labelled faces from train.prepare (.npz), or Kaggle's training.csv")  # fmt: skip
    add("--keep-offsets", action="store_true",
        help="count constant offsets between labels and predictions as error")  # fmt: skip
    add("-o", "--output", required=True, metavar="DIR",
        help="folder for the calibrated files, or for the calibrated run")  # fmt: skip
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> str:
    """Calibrate as the command line says; returns a report, a line per file."""
    from train.data.faces import hash_file, read_faces

    data = _Data(read_faces(args.data).crops(), hash_file(args.data), args.keep_offsets)
    if len(data.faces) < _MIN_FACES:
        raise DataError(f"{args.data}: {len(data.faces)} faces; at least {_MIN_FACES} are needed")
    folder = Path(args.output)
    if Path(args.model).is_dir():
        reports = [_calibrate_run(Path(args.model), folder, data)]
    else:
        reports = [_calibrate_file(path, folder, data) for path in model_files(args.model)]
    return "\n".join(reports)


@dataclass(frozen=True, slots=True)
class _Data:
    """Hand-labelled faces.

    Attributes:
        faces: 96×96 px crops and their keypoints.
        sha256: of their file.
        keep_offsets: whether constant offsets between labels and predictions count as error.
    """

    faces: Faces
    sha256: str
    keep_offsets: bool


def model_files(model: str) -> list[Path]:
    """The files of a model: fp32 and int8 if both are there.

    Raises:
        RunError: there is no such file.
    """
    from edge.networks.precision import int8_file, is_int8, keypoint_file

    full = keypoint_file(model)
    files = [full] if is_int8(full) else [full, int8_file(full)]
    present = [path for path in files if path.is_file()]
    if not present or full.suffix != ".onnx":
        raise RunError(f"{full}: no such .onnx file, and no folder of a finished run")
    return present


def _calibrate_file(source: Path, folder: Path, data: _Data) -> str:
    """Write a calibrated copy of an `.onnx` file, by what the product predicts with it."""
    from edge.cropped_faces import predict_crops
    from edge.networks.keypoint_model import KeypointModel
    from train.keypoints.onnx_error import write_calibrated

    target = folder / source.name
    if target.resolve() == source.resolve():
        raise RunError(f"{target}: is the model itself; choose another folder")
    prediction = predict_crops(KeypointModel(source), data.faces.images)
    scale, share = _measure(prediction.keypoints, prediction.error, data)
    folder.mkdir(parents=True, exist_ok=True)
    calibrated = _describe(scale, share, data)
    write_calibrated(source, target, scale.p50, scale.error90, calibrated)
    return _summary(target, calibrated)


def _calibrate_run(source: Path, folder: Path, data: _Data) -> str:
    """Write a calibrated copy of a run's folder."""
    from train.checkpoints import load, save

    record = read_record(source)
    model = _check_outputs(load(source / MODEL), source / MODEL)
    outputs = model.predict(np.ascontiguousarray(data.faces.images)[..., None], verbose=0)
    scale, share = _measure(outputs["keypoints"], outputs["error"], data)
    folder.mkdir(parents=True, exist_ok=True)
    save(_with_scaled_error(model, scale.p50), folder / MODEL)
    _copy_sets(source, folder)
    record["error90"] = scale.error90
    record["calibrated"] = _describe(scale, share, data)
    write_record(record, folder)
    return _summary(folder, record["calibrated"])


def _describe(scale: ErrorScale, share: float, data: _Data) -> dict[str, Any]:
    return {
        "faces": len(data.faces),
        "sha256": data.sha256,
        "factor": np.round(scale.p50, 3).tolist(),
        "share_inside_before": round(share, 4),
    }


def _check_outputs(model: Any, path: Path) -> Any:
    outputs = getattr(model, "output", None)
    if not isinstance(outputs, dict) or not {"keypoints", "error"} <= outputs.keys():
        raise RunError(f"{path}: expected a keypoint network with the outputs keypoints and error")
    return model


def _measure(
    keypoints: NDArray[np.floating], error: NDArray[np.floating], data: _Data
) -> tuple[ErrorScale, float]:
    """The factors, and the share of labelled points inside the radius before scaling."""
    from edge.evaluation.annotation_offsets import add_offsets, measure_offsets
    from edge.evaluation.metrics import distances
    from train.keypoints.error_calibration import fit_scale

    labels = data.faces.keypoints
    if not data.keep_offsets:
        keypoints = add_offsets(keypoints, measure_offsets(keypoints, labels))
    distance = distances(keypoints, labels)
    is_labelled = ~np.isnan(distance)
    inside = (distance <= error)[is_labelled]
    return fit_scale(error, distance), float(inside.mean())


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
    return report(lambda: run(args))


def _summary(path: Path, calibrated: dict[str, Any]) -> str:
    factors = calibrated["factor"]
    return (
        f"{path}: error multiplied by {min(factors):.2f} to {max(factors):.2f}; before, it "
        f"contained {calibrated['share_inside_before']:.0%} of the points of "
        f"{calibrated['faces']} faces"
    )


if __name__ == "__main__":
    sys.exit(main())
