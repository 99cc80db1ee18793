"""Kaggle's test pictures, and how far an `.onnx` keypoint model is from their hand annotation.

The model runs through `edge`, so the error is that of the very file whose latency is measured.
Legend: N faces, K keypoints.
"""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from edge.evaluation.metrics import rmse, rmse_per_keypoint, share_inside
from edge.keypoints import KEYPOINT_NAMES
from edge.networks.keypoint_model import KeypointModel
from edge.refinement import predict_crops

_SIDE = 96  # px
_FULL_SCHEME = 8  # pictures for which Kaggle asks more values than this are in the 15-point scheme


@dataclass(frozen=True, slots=True)
class AnnotatedFaces:
    """Test pictures with their hand annotation.

    Attributes:
        images: uint8 `(N, 96, 96)`, grey.
        keypoints: float32 `(N, 15, 2)`, px.
        asked: int64 `(N,)`, how many values Kaggle asks for each picture.
    """

    images: NDArray[np.uint8]
    keypoints: NDArray[np.float32]
    asked: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What a model reaches on one set.

    Attributes:
        faces: how many.
        rmse_px: root mean squared error per coordinate, px of 96.
        rmse_px_per_keypoint: the same for each keypoint, by name.
        share_inside_error: share of true points within the predicted 50 % radius.
        mean_face_score: of these faces, 0–1.
    """

    faces: int
    rmse_px: float
    rmse_px_per_keypoint: dict[str, float]
    share_inside_error: float
    mean_face_score: float


def read_annotated(annotated: Path, images: Path) -> AnnotatedFaces:
    """Read an annotation table and the pictures it speaks of.

    Args:
        annotated: CSV with `ImageId`, `asked` and the 30 coordinates.
        images: Kaggle's `test.csv`, or the zip it comes in.

    Raises:
        OSError: a file cannot be opened.
        KeyError: a column, or the picture of an annotation, is missing.
        ValueError: a cell is not a number.
    """
    with annotated.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    pictures = read_pictures(images)
    names = [f"{name}_{axis}" for name in KEYPOINT_NAMES for axis in "xy"]
    points = [[float(row[name] or "nan") for name in names] for row in rows]
    return AnnotatedFaces(
        images=np.stack([pictures[row["ImageId"]] for row in rows]),
        keypoints=np.array(points, np.float32).reshape(-1, len(KEYPOINT_NAMES), 2),
        asked=np.array([int(row["asked"]) for row in rows]),
    )


def read_pictures(path: Path) -> dict[str, NDArray[np.uint8]]:
    """Read Kaggle's `test.csv`, or the zip it comes in: uint8 `(96, 96)` by ImageId, in order.

    Raises:
        OSError: the file cannot be opened.
        KeyError: a column is missing.
        ValueError: a picture has another number of pixels, or the zip or a pixel is broken.
    """
    try:
        with _open_table(path) as file:
            rows = {row["ImageId"]: row["Image"].split() for row in csv.DictReader(file)}
        return {name: np.array(row, np.uint8).reshape(_SIDE, _SIDE) for name, row in rows.items()}
    except (ValueError, OverflowError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: not a table of {_SIDE}×{_SIDE} pictures ({error})") from error


def measure_accuracy(model: KeypointModel, faces: AnnotatedFaces) -> dict[str, Any]:
    """Accuracy on the pictures in the 15-point scheme ("asked > 8") and on the more varied ones."""
    points, error, score = predict_crops(model, faces.images)
    full, few = faces.asked > _FULL_SCHEME, faces.asked == _FULL_SCHEME
    results = {}
    for name, rows in (("asked > 8", full), ("asked = 8", few)):
        if rows.any():
            found, true = points[rows], faces.keypoints[rows]
            per_keypoint = rmse_per_keypoint(found, true).round(4)
            results[name] = asdict(
                Accuracy(
                    faces=int(rows.sum()),
                    rmse_px=round(rmse(found, true), 4),
                    rmse_px_per_keypoint=dict(
                        zip(KEYPOINT_NAMES, per_keypoint.tolist(), strict=True)
                    ),
                    share_inside_error=round(
                        float(np.nanmean(share_inside(error[rows], found, true))), 4
                    ),
                    mean_face_score=round(float(score[rows].mean()), 4),
                )
            )
    return results


def _open_table(path: Path) -> TextIO:
    if path.suffix != ".zip":
        return path.open(encoding="utf-8", newline="")
    with zipfile.ZipFile(path) as archive:
        return io.StringIO(archive.read(archive.namelist()[0]).decode("utf-8"))
