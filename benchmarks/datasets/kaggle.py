"""Kaggle's test images, and the error of an `.onnx` keypoint model against their annotation.

The model runs through `edge`, so accuracy and latency are measured on the same file.
Legend: N faces, K keypoints.
"""

from __future__ import annotations

import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import first_line
from edge.evaluation.metrics import rmse, rmse_per_keypoint, share_inside
from edge.facekeypoints import FaceKeypoints
from edge.formats.tables import open_table, parse_whole, read_rows
from edge.keypoints import KEYPOINT_NAMES
from edge.networks.keypoint_model import Prediction

_SIDE = 96  # px
_REDUCED_SCHEME = 8  # values Kaggle asks of images with four keypoints; others have up to 15


@dataclass(frozen=True, slots=True)
class AnnotatedFaces:
    """Test images with their hand annotation.

    Attributes:
        images: uint8 `(N, 96, 96)`, grey.
        keypoints: float32 `(N, 15, 2)`, px.
        asked: int64 `(N,)`, number of values Kaggle asks for each image.
    """

    images: NDArray[np.uint8]
    keypoints: NDArray[np.float32]
    asked: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Accuracy of a model on one set of images.

    Attributes:
        faces: number of images.
        rmse_px: root mean squared error per coordinate, px of the 96×96 image.
        rmse_px_per_keypoint: the same for each keypoint, by name.
        share_inside_error: share of true points within the predicted 50 % radius.
        mean_face_score: 0–1.
    """

    faces: int
    rmse_px: float
    rmse_px_per_keypoint: dict[str, float]
    share_inside_error: float
    mean_face_score: float


def read_annotated(annotated: Path, images: Path) -> AnnotatedFaces:
    """Read an annotation table and the images that it refers to.

    Args:
        annotated: CSV with `ImageId`, `asked` and the 30 coordinates.
        images: Kaggle's `test.csv`, or the zip it comes in.

    Raises:
        OSError: a file cannot be opened.
        KeyError: a column, or the image of a row, is missing.
        ValueError: a cell is not a number.
    """
    with open_table(annotated) as file:
        rows = [*read_rows(file)[1]]
    by_id = read_images(images)
    names = [f"{name}_{axis}" for name in KEYPOINT_NAMES for axis in "xy"]
    points = [[float(row[name] or "nan") for name in names] for row in rows]
    return AnnotatedFaces(
        images=np.stack([by_id[parse_whole(row["ImageId"])] for row in rows]),
        keypoints=np.array(points, np.float32).reshape(-1, len(KEYPOINT_NAMES), 2),
        asked=np.array([parse_whole(row["asked"]) for row in rows]),
    )


def read_images(path: Path) -> dict[int, NDArray[np.uint8]]:
    """Read Kaggle's `test.csv`, or the zip it comes in: uint8 `(96, 96)` by ImageId, in order.

    Raises:
        OSError: the file cannot be opened.
        KeyError: a column is missing.
        ValueError: an image has a wrong number of pixels or a wrong value, or the zip is corrupt.
    """
    try:
        with open_table(path) as file:
            lines = read_rows(file)[1]
            rows = {parse_whole(row["ImageId"]): row["Image"].split() for row in lines}
        return {name: np.array(row, np.uint8).reshape(_SIDE, _SIDE) for name, row in rows.items()}
    except (ValueError, OverflowError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path}: not a table of {_SIDE}×{_SIDE} images ({first_line(error)})"
        ) from error


def measure_accuracy(detect: FaceKeypoints, faces: AnnotatedFaces) -> dict[str, Any]:
    """Accuracy on the images in the 15-point scheme and on those in Kaggle's reduced one.

    Returns:
        `Accuracy` as a dict, by "asked > 8" and "asked = 8"; a set without images is left out.
    """
    prediction = detect.crops(faces.images)
    subsets = {
        "asked > 8": faces.asked > _REDUCED_SCHEME,
        "asked = 8": faces.asked == _REDUCED_SCHEME,
    }
    return {
        name: asdict(_accuracy(Prediction(*(x[rows] for x in prediction)), faces.keypoints[rows]))
        for name, rows in subsets.items()
        if rows.any()
    }


def _accuracy(prediction: Prediction, true: NDArray[np.float32]) -> Accuracy:
    points, error, score = prediction
    per_keypoint = rmse_per_keypoint(points, true).round(4).tolist()
    within = share_inside(error, points, true)
    return Accuracy(
        faces=len(true),
        rmse_px=round(rmse(points, true), 4),
        rmse_px_per_keypoint=dict(zip(KEYPOINT_NAMES, per_keypoint, strict=True)),
        share_inside_error=round(float(np.nanmean(within)), 4),
        mean_face_score=round(float(score.mean()), 4),
    )
