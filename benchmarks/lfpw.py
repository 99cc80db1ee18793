"""`python -m benchmarks.lfpw DATA`: 15 keypoints and 68 points on hand-labelled photos, end to end.

Networks of the `keypoints` recipes are not trained on these photos; the embedded one is, so its
error here is that on training data. The error of the keypoints is given twice: unchanged, and after
removing each keypoint's mean offset from the annotation in the frame of the eyes. The 68 points are
predicted on the crop that the predicted keypoints make upright; no offset is removed. Errors are
mean distances divided by the distance between the outer eye corners.

Legend: F photos with a face each, K keypoints (15).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from benchmarks.datasets.photos import Photo, detect_annotated, predict_annotated, read_photos
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.reporting.markdown import header, row
from edge.crop import cut
from edge.evaluation.annotation_offsets import add_offsets, measure_offsets
from edge.evaluation.metrics import inside, normalised_mean_error
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.geometry.affine import Matrix, invert, transform
from edge.geometry.face_frame import upright_matrix
from edge.image import Grey
from edge.keypoints import KEYPOINT_NAMES
from edge.networks.keypoint_model import EMBEDDED

_SIDE = 96  # px, of the network's crop
_JAW_POINTS = 17  # the first of the 68
_OUTER_CORNERS = [36, 45]  # of the right and the left eye, among the 68
_KEYS68 = ("error68", "error68_jaw", "error68_rest")


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; a usage error exits with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.lfpw",
        description="Measure keypoint models on photos with 68 hand-labelled points.",
    )
    add = parser.add_argument
    add("data", metavar="DATA", type=Path, help="folder with lfpw/")
    add("models", nargs="*", metavar="MODEL", type=Path,
        help=".onnx files (default: the embedded one)")  # fmt: skip
    add("-o", "--output", metavar="FILE", type=Path, help="file for the results as JSON")
    return parser.parse_args(argv)


def run(data: Path, models: list[Path]) -> dict[str, Any]:
    """Measure each model.

    Raises:
        EdgeError: a photo or a model cannot be read.
        OSError: the annotations cannot be opened.
        KeyError, ValueError: a line of the annotations lacks a value, or no face is detected.
    """
    photos = read_photos(data / "lfpw")
    points68 = read_points68(data / "lfpw")
    rows = [_measure(path, photos, points68) for path in models or [EMBEDDED]]
    return {"machine": describe_machine(threads=1), "models": rows}


def read_points68(folder: Path) -> NDArray[np.float64]:
    """The 68 points of each photo of a folder with `annotations.jsonl`, `(F, 68, 2)` px."""
    lines = (folder / "annotations.jsonl").read_text(encoding="utf-8").splitlines()
    return np.array([json.loads(line)["points68"] for line in lines], np.float64)


def _measure(path: Path, photos: list[Photo], points68: NDArray[np.float64]) -> dict[str, Any]:
    detect = FaceKeypoints(model=path, precision="fp32")
    offsets = _measure_offsets(detect, photos)
    detections = [
        (i, face) for i, face in enumerate(detect_annotated(detect, photos)) if face is not None
    ]
    if not detections:
        raise ValueError(f"{path}: none of the {len(photos)} annotated faces is detected")
    predicted = np.stack([face.keypoints for _, face in detections])
    true = np.stack([photos[i].keypoints for i, _ in detections])
    corrected = add_offsets(predicted, offsets)
    radius = np.stack([face.error for _, face in detections])
    share_inside = np.asarray(np.nanmean(inside(radius, corrected, true), axis=0))
    row = {
        "model": str(path),
        "faces": len(photos),
        "found": len(detections),
        "error_raw": _round(np.nanmean(normalised_mean_error(predicted, true))),
        "error": _round(np.nanmean(normalised_mean_error(corrected, true))),
        "inside": dict(zip(KEYPOINT_NAMES, np.round(share_inside, 3).tolist(), strict=True)),
    }
    return {**row, **_measure68(path, photos, points68, detections)}


def _measure_offsets(detect: FaceKeypoints, photos: list[Photo]) -> NDArray[np.float64]:
    """The mean offset of each keypoint, `(15, 2)`, from faces predicted without the detector."""
    pairs = [
        (face.keypoints, photo.keypoints)
        for face, photo in zip(predict_annotated(detect, photos), photos, strict=True)
        if face is not None
    ]
    predicted, true = zip(*pairs, strict=True)
    return measure_offsets(np.stack(predicted), np.stack(true))


def _measure68(
    path: Path,
    photos: list[Photo],
    points68: NDArray[np.float64],
    detections: list[tuple[int, Face]],
) -> dict[str, float]:
    """Errors of all 68 points, of the jaw and of the others; {} for a model without them."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    if "points68" not in {output.name for output in session.get_outputs()}:
        return {}
    errors = [
        _errors68(session, photos[i].grey, matrix, points68[i])
        for i, face in detections
        if (matrix := upright_matrix(face.keypoints, _SIDE)) is not None
    ]
    mean = np.mean(errors, axis=0)  # (68,)
    return {
        "error68": _round(mean.mean()),
        "error68_jaw": _round(mean[:_JAW_POINTS].mean()),
        "error68_rest": _round(mean[_JAW_POINTS:].mean()),
    }


def _errors68(
    session: onnxruntime.InferenceSession, grey: Grey, matrix: Matrix, true: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The distances of the points `(68,)`, divided by that of the outer eye corners."""
    crop = cut(grey, matrix, _SIDE)[None, ..., None]
    predicted = transform(invert(matrix), session.run(["points68"], {"face": crop})[0][0])
    right, left = true[_OUTER_CORNERS]
    return np.asarray(np.linalg.norm(predicted - true, axis=1) / np.linalg.norm(left - right))


def _round(value: np.floating) -> float:
    return round(float(value), 5)


def table(results: dict[str, Any]) -> str:
    """The results as a Markdown table, one row per model."""
    lines = header(
        "model", "found", "15 points (raw)", "inside `error`", "68 points", "jaw", "rest"
    )
    for measured in results["models"]:
        shares = list(measured["inside"].values())
        cells = [
            Path(measured["model"]).name,
            f"{measured['found']} of {measured['faces']}",
            f"{measured['error']:.2%} ({measured['error_raw']:.2%})",
            f"{np.mean(shares):.0%} ({min(shares):.0%}–{max(shares):.0%})",
            *(f"{measured[key]:.2%}" if key in measured else "–" for key in _KEYS68),
        ]
        lines.append(row(*cells))
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report_results(
        lambda: run(args.data, args.models),
        table,
        args.output,
        lambda key: f"no {key} in the annotations",
    )


if __name__ == "__main__":
    sys.exit(main())
