"""Accuracy of a method's keypoints on photos with one annotated face each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets.photos import Photo
from edge.evaluation.annotation_offsets import add_offsets, measure_offsets
from edge.evaluation.metrics import distances, normalised_mean_error
from edge.geometry.face_frame import eye_span

_MATCH_DISTANCE = 0.25  # of the square's side: mean keypoint distance below which a face matches
_CURVE_POINTS = 41  # of the cumulative error distribution

PredictedFace = Sequence[Sequence[float] | None] | None
"""15 points `[x, y]` px, None where the method lacks one; None for a face without keypoints."""


def measure_accuracy(
    photos: Sequence[Photo], faces: Sequence[Sequence[PredictedFace]]
) -> dict[str, Any]:
    """Recall, and normalised mean error of the faces that were found.

    Annotation schemes differ, so each point's mean offset, in the frame of the eyes, is removed. A
    method without outer eye corners is compared as it is. Points that it lacks are ignored.

    Args:
        photos: with one annotated face each.
        faces: what was predicted in each photo.

    Returns:
        `faces`, `found` (None for methods without keypoints), and, if any face was found, the
        number of `keypoints`, `error`, `error_raw` (with offsets) and `curve`, quantiles of errors.
    """
    if any(face is None for predicted in faces for face in predicted):
        return {"faces": len(photos), "found": None}
    matches = [matching_points(photo, p) for photo, p in zip(photos, faces, strict=True)]
    pairs = [(m, p.keypoints) for p, m in zip(photos, matches, strict=True) if m is not None]
    if not pairs:
        return {"faces": len(photos), "found": 0}
    predicted = np.stack([points for points, _ in pairs])
    true = np.stack([keypoints for _, keypoints in pairs])
    return {"faces": len(photos), "found": len(pairs), **_errors(predicted, true)}


def _errors(predicted: NDArray[np.float64], true: NDArray[np.floating]) -> dict[str, Any]:
    corrected: NDArray[np.floating] = predicted
    if not np.isnan(eye_span(predicted)).any():
        corrected = add_offsets(predicted, measure_offsets(predicted, true))
    errors = normalised_mean_error(corrected, true)
    compared = np.isfinite(distances(corrected, true)).any(axis=0)
    return {
        "keypoints": int(compared.sum()),
        "error": round(float(np.nanmean(errors)), 5),
        "error_raw": round(float(np.nanmean(normalised_mean_error(predicted, true))), 5),
        "curve": np.nanpercentile(errors, np.linspace(0, 100, _CURVE_POINTS)).round(5).tolist(),
    }


def matching_points(
    photo: Photo, faces: Sequence[PredictedFace], max_distance: float = _MATCH_DISTANCE
) -> NDArray[np.float64] | None:
    """Points `(15, 2)` px of the face nearest to the annotated one, NaN where missing.

    Args:
        photo: with one annotated face.
        faces: what was predicted in it.
        max_distance: mean distance of the points, in sides of the face's square, below which a face
            is the annotated one.
    """
    match = None
    limit = max_distance * float(photo.square[2])
    for face in faces:
        points = np.array([point or (np.nan, np.nan) for point in face or ()], np.float64)
        distance = float(np.nanmean(np.linalg.norm(points - photo.keypoints, axis=1)))
        if distance < limit:
            match, limit = points, distance
    return match
