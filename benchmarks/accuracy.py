"""`python -m benchmarks.accuracy DATA`: how near an `.onnx` keypoint model is to the truth.

Everything is measured through `edge`, on the file whose latency is measured, and on faces that no
network of the project was trained on:

- Kaggle's annotated test pictures: root mean squared error, px of 96.
- helen's photos, end to end and from the annotated square, upright, turned and shrunk: the mean
  distance over the distance between the outer eye corners. helen's annotators placed some points
  elsewhere than Kaggle's; the mean difference of each point, in the frame of the eyes, is taken
  from the upright faces and removed. Both numbers are given.
- `error`: the share of helen's points within the radius.
- `face_score`: the area under the ROC curve.
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
from benchmarks.datasets.photos import Photo, found_at, found_in, read_photos, shrink, turn
from benchmarks.evaluation.face_score import area_under_curve, cut_faces, cut_nonfaces, cut_parts
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.latency.model_size import count
from edge.evaluation.annotation_offsets import add_offsets, measure_offsets
from edge.evaluation.metrics import distances, inside, normalised_mean_error
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.geometry.face_frame import eye_span
from edge.keypoints import KEYPOINT_NAMES
from edge.networks.keypoint_model import EMBEDDED, KeypointModel

_TURN_DEG = 45.0
_SMALL_PX = 24.0


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
    add("models", nargs="*", metavar="MODEL", type=Path,
        help=".onnx files (default: the embedded ones)")  # fmt: skip
    add("-o", "--output", metavar="FILE", type=Path, help="where to write the results as JSON")
    return parser.parse_args(argv)


def run(data: Path, models: list[Path]) -> dict[str, Any]:
    """Measure each model on every set."""
    paths = models or [EMBEDDED, EMBEDDED.with_suffix(".int8.onnx")]
    annotated = read_annotated(data / "kaggle" / "test_annotated.csv", data / "kaggle" / "test.zip")
    photos = read_photos(data / "helen")
    rows = []
    for path in paths:
        detect = FaceKeypoints(model=path, precision="fp32")
        model = detect.model
        rows.append(
            {
                "model": path.name,
                "version": model.metadata["model_version"],
                "sha256_keras": model.metadata["sha256_keras"],
                "size_bytes": path.stat().st_size,
                **_count(path),
                "kaggle": measure_accuracy(model, annotated),
                "helen": measure_photos(detect, photos),
                "face_score": measure_scores(model, photos, data / "negatives"),
            }
        )
    return {"machine": describe_machine(threads=1), "models": rows}


def measure_photos(detect: FaceKeypoints, photos: list[Photo]) -> dict[str, Any]:
    """Errors on whole photos, in parts of the outer-eye distance."""
    upright = found_at(detect, photos)
    offsets = measure_offsets(*_pairs(photos, upright))
    conditions: dict[str, tuple[Callable[[Photo], Photo], Any]] = {
        "end to end": (lambda photo: photo, found_in),
        f"turned by {_TURN_DEG:g}°": (lambda photo: turn(photo, _TURN_DEG), found_at),
        f"turned by −{_TURN_DEG:g}°": (lambda photo: turn(photo, -_TURN_DEG), found_at),
        f"{_SMALL_PX:g} px wide": (lambda photo: shrink(photo, _SMALL_PX), found_at),
    }
    results = {"annotated square": _measure(photos, upright, offsets)}
    for name, (change, find) in conditions.items():
        changed = [change(photo) for photo in photos]
        results[name] = _measure(changed, find(detect, changed), offsets)
    results["share_inside_error"] = _share_inside(photos, upright, offsets)
    return results


def measure_scores(model: KeypointModel, photos: list[Photo], negatives: Path) -> dict[str, float]:
    """Areas under the ROC curve of `face_score`: helen's faces against two kinds of others."""
    rng = np.random.default_rng(0)
    faces = model(cut_faces(photos, model.size))[2]
    kinds = {
        "photos without faces": cut_nonfaces(negatives, model.size, rng),
        "less than a third of a face": cut_parts(photos, model.size, rng),
    }
    scores = {name: model(crops)[2] for name, crops in kinds.items()}
    scores["all"] = np.concatenate(list(scores.values()))
    return {name: round(area_under_curve(faces, others), 5) for name, others in scores.items()}


def _count(path: Path) -> dict[str, int]:
    parameters, additions = count(path)
    return {"parameters": parameters, "multiply_adds": additions} if additions else {}


def _pairs(
    photos: list[Photo], faces: list[Face | None]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Keypoints of the faces found and what is annotated, `(F, 15, 2)` px each."""
    both = [(f.keypoints, p.keypoints) for p, f in zip(photos, faces, strict=True) if f is not None]
    found, true = (np.stack(points) for points in zip(*both, strict=True))
    return found, true


def _measure(
    photos: list[Photo], faces: list[Face | None], offsets: NDArray[np.float64]
) -> dict[str, Any]:
    if not any(faces):
        return {"faces": len(photos), "found": 0}
    found, true = _pairs(photos, faces)
    moved = add_offsets(found, offsets)
    errors = normalised_mean_error(moved, true)
    spans = distances(moved, true) / eye_span(true)[:, None]
    return {
        "faces": len(photos),
        "found": len(found),
        "error_raw": round(float(np.nanmean(normalised_mean_error(found, true))), 5),
        "error": round(float(np.nanmean(errors)), 5),
        "error_p95": round(float(np.nanpercentile(errors, 95)), 5),
        "error_per_keypoint": _means(spans),
    }


def _share_inside(
    photos: list[Photo], faces: list[Face | None], offsets: NDArray[np.float64]
) -> dict[str, Any]:
    found, true = _pairs(photos, faces)
    radius = np.stack([face.error for face in faces if face is not None])
    within = inside(radius, add_offsets(found, offsets), true)
    return {"all": round(float(np.nanmean(within)), 4), "per_keypoint": _means(within)}


def _means(values: NDArray[np.floating]) -> dict[str, float]:
    """The mean over faces of each keypoint that is labelled at all, from `(F, 15)`."""
    columns = dict(zip(KEYPOINT_NAMES, values.T, strict=True))
    known = {name: column[~np.isnan(column)] for name, column in columns.items()}
    return {name: round(float(c.mean()), 5) for name, c in known.items() if c.size}


def table(results: dict[str, Any]) -> str:
    """The results as a Markdown table, one column a model."""
    rows = results["models"]
    lines = [
        "| | " + " | ".join(row["model"] for row in rows) + " |",
        "|---" * (len(rows) + 1) + "|",
    ]

    def add(label: str, cells: list[str]) -> None:
        lines.append(f"| {label} | " + " | ".join(cells) + " |")

    for name in rows[0]["kaggle"]:
        add(f"Kaggle, {name}: RMSE", [f"{row['kaggle'][name]['rmse_px']:.2f} px" for row in rows])
    for name, first in rows[0]["helen"].items():
        if "faces" in first:
            cells = [_photo_cell(row["helen"][name]) for row in rows]
            add(f"helen, {name}: error (raw), found", cells)
    within = [row["helen"]["share_inside_error"] for row in rows]
    shares = [(f"{w['all']:.0%}", w["per_keypoint"].values()) for w in within]
    add(
        "helen, inside `error` (least and most of a keypoint)",
        [f"{all_} ({min(each):.0%}–{max(each):.0%})" for all_, each in shares],
    )
    for name in rows[0]["face_score"]:
        add(f"`face_score` against {name}", [f"{row['face_score'][name]:.4f}" for row in rows])
    return "\n".join(lines)


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
        lambda key: f"no {key} in the annotations",
    )


if __name__ == "__main__":
    sys.exit(main())
