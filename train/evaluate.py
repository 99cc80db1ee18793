"""`python -m train.evaluate RUN`: evaluate a run's model on annotated test images."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.evaluation.metrics import rmse, rmse_per_keypoint, share_inside
from edge.keypoints import KEYPOINT_NAMES
from train.checkpoints import load
from train.data.faces import Faces, hash_file, read_annotated
from train.exit_status import report
from train.keypoints.leakage_probe import measure_pull
from train.plots import Marks, plot_cumulative, plot_faces
from train.run_record import MODEL

_PARTIAL_SCHEME = 8  # values Kaggle evaluates of an image in the 4-point scheme; others have 15
_WORST_FACES = 24


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; a usage error exits with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m train.evaluate",
        description="Evaluate the model of a run on annotated test images.",
    )
    parser.add_argument("run", metavar="RUN", help="folder of the run")
    parser.add_argument("--annotated", required=True, metavar="FILE",
                        help="table of ImageId and the 30 coordinates")  # fmt: skip
    parser.add_argument("--images", required=True, metavar="FILE",
                        help="Kaggle's test.csv, or its zip")  # fmt: skip
    return parser.parse_args(argv)


def run(folder: Path, annotated: str, images: str) -> str:
    """Write `evaluation.json` and two plots to the run folder; returns the table as text."""
    model = load(folder / MODEL)
    faces, asked = read_annotated(annotated, images)
    outputs = model.predict(faces.images[..., None], verbose=0)
    sets = _sets(asked)
    results = {name: _measure(outputs, faces, rows) for name, rows in sets.items()}
    errors = _face_errors(outputs["keypoints"], faces)
    per_face = {name: errors[rows] for name, rows in sets.items()}
    plot_cumulative(per_face, folder / "cumulative_error.png")
    _plot_worst(outputs["keypoints"], errors, faces, folder / "worst_faces.png")
    pull = measure_pull(lambda batch: _points(model, batch), faces.images)
    record = {
        "annotated_sha256": hash_file(annotated),
        "sets": results,
        "pull_of_decoys": round(pull, 4),
    }
    text = json.dumps(record, indent=2) + "\n"
    (folder / "evaluation.json").write_text(text, encoding="utf-8")
    probe = f"Leakage probe: keypoints move {pull:+.1%} of the way to retouched pixels."
    return f"{_table(results)}\n\n{probe}"


def _sets(asked: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    """The rows of each subset that is not empty."""
    sets = {
        "asked > 8": asked > _PARTIAL_SCHEME,
        "asked = 8": asked == _PARTIAL_SCHEME,
        "all": np.ones(len(asked), bool),
    }
    return {name: rows for name, rows in sets.items() if rows.any()}


def _points(model: Any, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(model.predict(images[..., None], verbose=0)["keypoints"])


def _measure(outputs: dict[str, Any], faces: Faces, rows: NDArray[np.bool_]) -> dict[str, Any]:
    predicted = outputs["keypoints"][rows]
    true = faces.keypoints[rows]
    per_keypoint = rmse_per_keypoint(predicted, true)
    inside = share_inside(outputs["error"][rows], predicted, true)
    return {
        "faces": int(rows.sum()),
        "rmse_px": round(rmse(predicted, true), 4),
        "share_inside_error": round(float(inside.mean()), 4),
        "mean_face_score": round(float(outputs["face_score"][rows].mean()), 4),
        "rmse_px_per_keypoint": dict(zip(KEYPOINT_NAMES, per_keypoint.round(4), strict=True)),
    }


def _face_errors(predicted: NDArray[np.float32], faces: Faces) -> NDArray[np.float64]:
    """RMSE of each face, `(N,)` px."""
    pairs = zip(predicted, faces.keypoints, strict=True)
    return np.array([rmse(points[None], true[None]) for points, true in pairs])


def _plot_worst(
    predicted: NDArray[np.float32], errors: NDArray[np.float64], faces: Faces, path: Path
) -> None:
    rows = np.argsort(-np.nan_to_num(errors))[:_WORST_FACES]
    marks = [
        Marks("true", faces.keypoints[rows], marker="+", colour="#ff2050"),
        Marks("predicted", predicted[rows]),
    ]
    titles = [f"{faces.ids[row]}: {errors[row]:.1f} px" for row in rows]
    plot_faces(faces.images[rows], marks, path, titles=titles)


def _table(results: dict[str, dict[str, Any]]) -> str:
    def line(label: str, values: list[str]) -> str:
        return f"{label:<26}" + "".join(f"{value:>12}" for value in values)

    columns = list(results.values())
    lines = [
        line("RMSE, px of 96", list(results)),
        line("faces", [str(c["faces"]) for c in columns]),
        line("all keypoints", [f"{c['rmse_px']:.3f}" for c in columns]),
    ]
    for name in KEYPOINT_NAMES:
        lines.append(line(name, [f"{c['rmse_px_per_keypoint'][name]:.3f}" for c in columns]))
    lines.append(line("share inside error", [f"{c['share_inside_error']:.1%}" for c in columns]))
    lines.append(line("mean face score", [f"{c['mean_face_score']:.3f}" for c in columns]))
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    status = report(lambda: run(Path(args.run), args.annotated, args.images))
    if not status:
        print(f"plots: {args.run}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
