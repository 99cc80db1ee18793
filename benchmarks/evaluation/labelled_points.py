"""Errors of 15 keypoints and 68 points on hand-labelled photos, of this package and of peers alike.

Errors are distances divided by the distance between the outer eye corners. Of the keypoints each
point's mean offset from the labels, in the frame of the eyes, is removed, as annotators and schemes
differ in where they place a point; of the 68 points nothing is removed.

Legend: F faces, K keypoints (15).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.evaluation.annotation_offsets import add_offsets, measure_offsets
from edge.evaluation.metrics import inside, normalised_mean_error
from edge.face import Face
from edge.geometry.points68 import OUTER_EYE_CORNERS_68
from edge.keypoints import KEYPOINT_NAMES

# Points of each part, among the 68.
PARTS_68 = {
    "jaw": slice(0, 17),
    "brows": slice(17, 27),
    "nose": slice(27, 36),
    "eyes": slice(36, 48),
    "mouth": slice(48, 68),
    "rest": slice(17, 68),
}


@dataclass(frozen=True, slots=True)
class Points:
    """What a method predicts of one face.

    Attributes:
        keypoints: float `(15, 2)` px.
        points68: float `(68, 2)` px, or None.
        error: float `(15,)` px, or None.
        error90: float `(15,)` px, or None.
    """

    keypoints: NDArray[np.floating]
    points68: NDArray[np.floating] | None = None
    error: NDArray[np.floating] | None = None
    error90: NDArray[np.floating] | None = None


def of_face(face: Face) -> Points:
    """The points of a face of this package."""
    return Points(face.keypoints, face.points68, face.error, face.error90)


def measure(
    predictions: Sequence[Points | None],
    keypoints: NDArray[np.floating],
    points68: NDArray[np.floating],
) -> dict[str, Any]:
    """Errors of the faces that were found.

    Args:
        predictions: of each face, None where it was not found.
        keypoints: labels `(F, 15, 2)` px, NaN where missing.
        points68: labels `(F, 68, 2)` px.

    Returns:
        `faces`, `found`, `error_raw`, `error` (offsets removed); where they are predicted `inside`
        and `inside90`, by keypoint the share of true points inside `error` and `error90`, and
        `error68` with a value for each of `PARTS_68`.

    Raises:
        ValueError: no face was found.
    """
    found = [i for i, points in enumerate(predictions) if points is not None]
    pairs = [points for points in predictions if points is not None]
    if not pairs:
        raise ValueError(f"none of the {len(predictions)} annotated faces is detected")
    predicted, true = np.stack([points.keypoints for points in pairs]), keypoints[found]
    corrected = add_offsets(predicted, measure_offsets(predicted, true))
    result: dict[str, Any] = {
        "faces": len(predictions),
        "found": len(pairs),
        "error_raw": _round(np.nanmean(normalised_mean_error(predicted, true))),
        "error": _round(np.nanmean(normalised_mean_error(corrected, true))),
    }
    radii = {"inside": [p.error for p in pairs], "inside90": [p.error90 for p in pairs]}
    for key, values in radii.items():
        radius = _stack(values)
        if radius is not None:
            share = np.asarray(np.nanmean(inside(radius, corrected, true), axis=0))
            result[key] = dict(zip(KEYPOINT_NAMES, np.round(share, 3).tolist(), strict=True))
    predicted68 = _stack([points.points68 for points in pairs])
    return result if predicted68 is None else result | _errors68(predicted68, points68[found])


def _stack(arrays: Sequence[NDArray[np.floating] | None]) -> NDArray[np.floating] | None:
    """The arrays as one; None where the method does not predict them."""
    present = [array for array in arrays if array is not None]
    return np.stack(present) if present else None


def errors68(predicted: NDArray[np.floating], true: NDArray[np.floating]) -> NDArray[np.floating]:
    """Distances `(F, 68)` of the 68 points `(F, 68, 2)` px, over that of the outer eye corners."""
    left, right = (true[:, corner] for corner in OUTER_EYE_CORNERS_68)
    span = np.linalg.norm(left - right, axis=-1)[:, None]
    return np.asarray(np.linalg.norm(predicted - true, axis=-1) / span)


def _errors68(predicted: NDArray[np.floating], true: NDArray[np.floating]) -> dict[str, float]:
    mean = errors68(predicted, true).mean(axis=0)
    parts = {f"error68_{name}": _round(mean[part].mean()) for name, part in PARTS_68.items()}
    return {"error68": _round(mean.mean()), **parts}


def _round(value: np.floating) -> float:
    return round(float(value), 5)
