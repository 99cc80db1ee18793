"""Error metrics of predicted keypoints against the truth.

Legend: N faces, K keypoints. A missing label is NaN and is ignored.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.geometry.face_frame import eye_span

Keypoints = NDArray[np.floating]


def rmse(predicted: Keypoints, true: Keypoints) -> float:
    """Root mean squared error over all labelled coordinates, as Kaggle scores it.

    Args:
        predicted: `(N, K, 2)` px.
        true: `(N, K, 2)` px, NaN where missing.

    Returns:
        Pixels per coordinate (not per point); NaN when nothing is labelled.
    """
    squared = _squared(predicted, true)
    labelled = squared[~np.isnan(squared)]
    return float(np.sqrt(labelled.mean())) if labelled.size else float("nan")


def rmse_per_keypoint(predicted: Keypoints, true: Keypoints) -> NDArray[np.float64]:
    """`rmse` of each keypoint, `(K,)` px; NaN for one that is never labelled."""
    return np.array(
        [rmse(predicted[:, [k]], true[:, [k]]) for k in range(true.shape[1])], dtype=np.float64
    )


def distances(predicted: Keypoints, true: Keypoints) -> NDArray[np.float64]:
    """Euclidean distance of each keypoint from the truth, `(N, K)` px, NaN where missing."""
    return np.asarray(np.sqrt(_squared(predicted, true).sum(axis=-1)), dtype=np.float64)


def normalised_mean_error(predicted: Keypoints, true: Keypoints) -> NDArray[np.float64]:
    """Mean distance of each face over its outer-eye-corner distance, `(N,)`.

    The normalisation of the 300-W benchmark (Sagonas et al., 2013). Keypoints are in the order of
    `edge.KEYPOINT_NAMES`; a face without both outer eye corners gives NaN.
    """
    span = eye_span(true)
    error = np.full(len(true), np.nan)
    per_point = distances(predicted, true)
    usable = ~np.isnan(per_point).all(axis=1) & (span > 0)
    error[usable] = np.nanmean(per_point[usable], axis=1) / span[usable]
    return error


def share_inside(
    radius: NDArray[np.floating], predicted: Keypoints, true: Keypoints
) -> NDArray[np.float64]:
    """Share of the true points within the predicted radius, `(K,)`; 0.5 is perfect calibration.

    Args:
        radius: `(N, K)` px, the radius that should hold half of the true points.
        predicted: `(N, K, 2)` px.
        true: `(N, K, 2)` px, NaN where missing.
    """
    return np.asarray(np.nanmean(inside(radius, predicted, true), axis=0), dtype=np.float64)


def inside(
    radius: NDArray[np.floating], predicted: Keypoints, true: Keypoints
) -> NDArray[np.float64]:
    """Whether each true point lies within the radius: `(N, K)`, 1 or 0, NaN where missing."""
    error = distances(predicted, true)
    if np.shape(radius) != error.shape:  # else numpy would stretch it
        raise ValueError(f"radius has the shape {np.shape(radius)}; expected {error.shape}")
    return np.where(np.isnan(error), np.nan, error <= radius)


def _squared(predicted: Keypoints, true: Keypoints) -> NDArray[np.float64]:
    if predicted.shape != true.shape:
        raise ValueError(
            f"predicted and true keypoints differ in shape: {predicted.shape} and {true.shape}"
        )
    return (np.asarray(predicted, np.float64) - np.asarray(true, np.float64)) ** 2


def area_under_curve(positives: NDArray[np.floating], negatives: NDArray[np.floating]) -> float:
    """Area under the ROC curve: share of pairs whose positive scores higher; ties count half."""
    ranked = np.sort(negatives)
    below = np.searchsorted(ranked, positives, side="left")
    up_to = np.searchsorted(ranked, positives, side="right")
    return float((below + up_to).mean() / 2 / len(negatives))
