"""`python -m benchmarks.accuracy DATA`: accuracy of `.onnx` keypoint models.

Models run through `edge`, on faces that no network of the project was trained on:

- Kaggle's annotated test images: root mean squared error, px of 96.
- helen's photos, end to end and from the annotated square, upright, rotated and shrunk: the
  normalised mean error, over the distance between the outer eye corners. helen's annotators placed
  some points elsewhere than Kaggle's; the mean offset of each point, in the frame of the eyes, is
  estimated on the upright faces and removed. Errors with and without it are given.
- `error`: the share of helen's points within the predicted radius.
- Eyelids: how far eyes are open by the 68 points, if the model has them, against helen's lids.
- `face_score`: the area under the ROC curve; and the share of crops turned by more than 100° off
  upright that score at least 0.5.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets.kaggle import measure_accuracy, read_annotated
from benchmarks.datasets.photos import (
    Photo,
    detect_annotated,
    predict_annotated,
    read_photos,
    rotate,
    shrink,
)
from benchmarks.evaluation.eye_opening import measure_openings, read_points29
from benchmarks.evaluation.face_score import (
    cut_faces,
    cut_nonfaces,
    cut_parts,
    cut_turned,
)
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.harness.project import embedded_models
from benchmarks.latency.model_size import count_multiply_adds, count_parameters
from benchmarks.reporting.markdown import header, row
from edge.evaluation.annotation_offsets import add_offsets, measure_offsets
from edge.evaluation.metrics import area_under_curve, distances, inside, normalised_mean_error
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.geometry.face_frame import eye_span
from edge.keypoints import KEYPOINT_NAMES
from edge.networks.keypoint_model import KeypointModel
from edge.networks.precision import keypoint_file

_ROLL_DEG = 45.0
_TURNED_DEG = (-160.0, -130.0, -105.0, 105.0, 130.0, 160.0, 180.0)
_SMALL_PX = 24.0  # side of the square around a face
_MIN_SCORE = 0.5  # from which on a crop counts as accepted

_Predict = Callable[[FaceKeypoints, list[Photo]], list[Face | None]]


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy",
        description="Measure the accuracy of keypoint models on annotated faces.",
    )
    add = parser.add_argument
    add(
        "data",
        metavar="DATA",
        type=Path,
        help="folder with kaggle/test_annotated.csv, kaggle/test.zip, helen/ and negatives/",
    )
    add("models", nargs="*", metavar="MODEL", type=keypoint_file,
        help=".onnx files, or small (default: the embedded ones)")  # fmt: skip
    add("-o", "--output", metavar="FILE", type=Path, help="write the results as JSON")
    return parser.parse_args(argv)


def run(data: Path, models: list[Path]) -> dict[str, Any]:
    """Measure each model on every set.

    Args:
        data: folder with kaggle/, helen/ and negatives/.
        models: `.onnx` files; the embedded ones if empty.

    Raises:
        EdgeError: a model or photo cannot be used.
        OSError, KeyError, ValueError: the data cannot be read.
    """
    annotated = read_annotated(data / "kaggle" / "test_annotated.csv", data / "kaggle" / "test.zip")
    photos = read_photos(data / "helen")
    points29 = read_points29(data / "helen")
    rows = []
    for path in models or embedded_models():
        points68 = KeypointModel(path).has_points68
        detect = FaceKeypoints(model=path, precision="fp32", points68=points68)
        metadata = detect.model.metadata
        rows.append(
            {
                "model": path.name,
                "version": metadata["model_version"],
                "sha256_keras": metadata["sha256_keras"],
                "size_bytes": path.stat().st_size,
                **_cost(path),
                "kaggle": measure_accuracy(detect, annotated),
                "helen": measure_photos(detect, photos),
                "eye_opening": measure_openings(detect_annotated(detect, photos), points29),
                "face_score": measure_scores(detect.model, photos, data / "negatives"),
                "turned": measure_turned(detect.model, photos),
            }
        )
    return {"machine": describe_machine(threads=1), "models": rows}


def measure_photos(detect: FaceKeypoints, photos: list[Photo]) -> dict[str, Any]:
    """Errors on whole photos, in parts of the outer-eye distance.

    Returns:
        By condition the numbers of faces and of those found, and their errors; under
        `share_inside_error` the share of points within their predicted radius.
    """
    upright = predict_annotated(detect, photos)
    offsets = measure_offsets(*_pairs(photos, upright))
    conditions: dict[str, tuple[Callable[[Photo], Photo], _Predict]] = {
        "end to end": (lambda photo: photo, detect_annotated),
        f"turned by {_ROLL_DEG:g}°": (lambda p: rotate(p, _ROLL_DEG), predict_annotated),
        f"turned by −{_ROLL_DEG:g}°": (lambda p: rotate(p, -_ROLL_DEG), predict_annotated),
        f"{_SMALL_PX:g} px wide": (lambda p: shrink(p, _SMALL_PX), predict_annotated),
    }
    results = {"annotated square": _measure(photos, upright, offsets)}
    for name, (change, predict) in conditions.items():
        changed = [change(photo) for photo in photos]
        results[name] = _measure(changed, predict(detect, changed), offsets)
    results["share_inside_error"] = _share_inside(photos, upright, offsets)
    return results


def measure_scores(model: KeypointModel, photos: list[Photo], negatives: Path) -> dict[str, float]:
    """Areas under the ROC curve of `face_score`, by kind of negative crop."""
    rng = np.random.default_rng(0)
    positives = model(cut_faces(photos, model.size)).face_score
    crops = {
        "photos without faces": cut_nonfaces(negatives, model.size, rng),
        "less than a third of a face": cut_parts(photos, model.size, rng),
    }
    scores = {name: model(negative).face_score for name, negative in crops.items()}
    scores["all"] = np.concatenate(list(scores.values()))
    return {name: round(area_under_curve(positives, s), 5) for name, s in scores.items()}


def measure_turned(model: KeypointModel, photos: list[Photo]) -> dict[str, float]:
    """By angle off upright, the share of turned crops whose face score is at least 0.5."""
    shares = {}
    for angle_deg in _TURNED_DEG:
        scores = model(cut_turned(photos, model.size, angle_deg)).face_score
        shares[f"{angle_deg:g}°"] = round(float((scores >= _MIN_SCORE).mean()), 4)
    return shares


def _cost(path: Path) -> dict[str, int]:
    """Parameters and multiply-adds; empty where the layers are of kinds that are not counted."""
    multiply_adds = count_multiply_adds(path)
    if not multiply_adds:
        return {}
    return {"parameters": count_parameters(path), "multiply_adds": multiply_adds}


def _pairs(
    photos: list[Photo], faces: list[Face | None]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Predicted and annotated keypoints of the faces that were found, `(F, 15, 2)` px each."""
    pairs = [
        (f.keypoints, p.keypoints) for p, f in zip(photos, faces, strict=True) if f is not None
    ]
    predicted, true = (np.stack(points) for points in zip(*pairs, strict=True))
    return predicted, true


def _measure(
    photos: list[Photo], faces: list[Face | None], offsets: NDArray[np.float64]
) -> dict[str, Any]:
    if not any(faces):
        return {"faces": len(photos), "found": 0}
    predicted, true = _pairs(photos, faces)
    corrected = add_offsets(predicted, offsets)
    errors = normalised_mean_error(corrected, true)
    per_keypoint = distances(corrected, true) / eye_span(true)[:, None]
    return {
        "faces": len(photos),
        "found": len(predicted),
        "error_raw": round(float(np.nanmean(normalised_mean_error(predicted, true))), 5),
        "error": round(float(np.nanmean(errors)), 5),
        "error_p95": round(float(np.nanpercentile(errors, 95)), 5),
        "error_per_keypoint": _means(per_keypoint),
    }


def _share_inside(
    photos: list[Photo], faces: list[Face | None], offsets: NDArray[np.float64]
) -> dict[str, Any]:
    predicted, true = _pairs(photos, faces)
    radius = np.stack([face.error for face in faces if face is not None])
    within = inside(radius, add_offsets(predicted, offsets), true)
    return {"all": round(float(np.nanmean(within)), 4), "per_keypoint": _means(within)}


def _means(values: NDArray[np.floating]) -> dict[str, float]:
    """The mean over faces of each keypoint that has labels, from `(F, 15)`."""
    columns = dict(zip(KEYPOINT_NAMES, values.T, strict=True))
    labelled = {name: column[~np.isnan(column)] for name, column in columns.items()}
    return {name: round(float(c.mean()), 5) for name, c in labelled.items() if c.size}


def table(results: dict[str, Any]) -> str:
    """The results as a Markdown table, one column per model."""
    models = results["models"]
    lines = header("", *(model["model"] for model in models))
    for name in models[0]["kaggle"]:
        cells = [f"{model['kaggle'][name]['rmse_px']:.2f} px" for model in models]
        lines.append(row(f"Kaggle, {name}: RMSE", *cells))
    for name, first in models[0]["helen"].items():
        if "faces" in first:
            cells = [_photo_cell(model["helen"][name]) for model in models]
            lines.append(row(f"helen, {name}: error (raw), found", *cells))
    cells = [_inside_cell(model["helen"]["share_inside_error"]) for model in models]
    lines.append(row("helen, inside `error` (least and most of a keypoint)", *cells))
    for name in models[0]["face_score"]:
        cells = [f"{model['face_score'][name]:.4f}" for model in models]
        lines.append(row(f"`face_score` against {name}", *cells))
    if "turned" in models[0]:
        cells = [f"{max(model['turned'].values()):.1%}" for model in models]
        lines.append(row("most turned crops with `face_score` from 0.5, of an angle", *cells))
        lines.append(row("eye opening, difference (bias)", *map(_opening_cell, models)))
    return "\n".join(lines)


def keypoints_table(results: dict[str, Any]) -> str:
    """Each keypoint of the first model, as a Markdown table."""
    model = results["models"][0]
    kaggle, helen = model["kaggle"].values(), model["helen"]
    lines = header("keypoint", *model["kaggle"], "helen", "inside `error`")
    for name, error in helen["annotated square"]["error_per_keypoint"].items():
        inside = helen["share_inside_error"]["per_keypoint"][name]
        px = [f"{part['rmse_px_per_keypoint'][name]:.2f} px" for part in kaggle]
        lines.append(row(name, *px, f"{error:.1%}", f"{inside:.0%}"))
    return "\n".join(lines)


def _inside_cell(shares: dict[str, Any]) -> str:
    per_keypoint = shares["per_keypoint"].values()
    return f"{shares['all']:.0%} ({min(per_keypoint):.0%}–{max(per_keypoint):.0%})"


def _opening_cell(model: dict[str, Any]) -> str:
    opening = model["eye_opening"]
    return f"{opening['difference']:.3f} ({opening['bias']:+.3f})" if opening else "no 68 points"


def _photo_cell(values: dict[str, Any]) -> str:
    if not values["found"]:
        return f"–, 0 of {values['faces']}"
    return (
        f"{values['error']:.2%} ({values['error_raw']:.2%}), {values['found']} of {values['faces']}"
    )


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report_results(
        lambda: run(args.data, args.models),
        table,
        args.output,
        lambda key: f"{key} is missing in the annotations",
    )


if __name__ == "__main__":
    sys.exit(main())
