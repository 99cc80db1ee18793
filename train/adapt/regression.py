"""Ridge regression from a network's last features to what is wrong with its keypoints.

Few faces determine thousands of weights badly, so how much they may change is chosen by
cross-validation: on faces left out, the correction has to be better than a constant one or none.

Legend: V views of faces, F features, K keypoints.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # of the ridge, in mean squared features
_FOLDS = 5
_MIN_VIEWS = 16  # of a keypoint; one with fewer stays as it is


@dataclass(frozen=True, slots=True)
class Correction:
    """What is added to the keypoints.

    Attributes:
        weights: float32 `(F, 2 K)`.
        bias: float32 `(2 K,)`, px.
        strength: of the ridge; infinite if only a constant is added.
        before_px: mean distance of predictions and labels, px of the crop.
        constant_px: the same on faces left out, with the best constant for each keypoint.
        after_px: the same on faces left out, with the correction.
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    strength: float
    before_px: float
    constant_px: float
    after_px: float


def fit(features: NDArray[np.floating], wrong: NDArray[np.floating], groups: Floats) -> Correction:
    """Fit a correction.

    Args:
        features: `(V, F)`.
        wrong: labels minus predictions, `(V, K, 2)` px, NaN where not labelled.
        groups: `(V,)`, numbers of the people or photos; those of one are left out together.
    """
    inputs: Floats = np.asarray(features, np.float64)
    targets: Floats = np.asarray(wrong, np.float64)
    folds = _folds(groups)
    errors = {
        strength: _mean_distance(_leave_out(inputs, targets, folds, strength))
        for strength in (*_STRENGTHS, np.inf)
    }
    best = min(errors, key=lambda strength: errors[strength])
    weights, bias = _solve(inputs, targets, best)
    return Correction(
        weights.astype(np.float32), bias.astype(np.float32), best,
        _mean_distance(targets), errors[np.inf], errors[best],
    )  # fmt: skip


def _folds(groups: Floats) -> NDArray[np.int64]:
    """The fold of each view, `(V,)`."""
    _, number = np.unique(groups, return_inverse=True)
    order = np.random.default_rng(0).permutation(int(number.max()) + 1)
    return np.asarray(order[number] % _FOLDS, np.int64)


def _leave_out(
    features: Floats, wrong: Floats, folds: NDArray[np.int64], strength: float
) -> Floats:
    """What remains wrong of each view, by a correction fitted on the other folds, `(V, K, 2)`."""
    remaining = wrong.copy()
    for fold in range(_FOLDS):
        left_out = folds == fold
        if left_out.any() and not left_out.all():
            weights, bias = _solve(features[~left_out], wrong[~left_out], strength)
            added = features[left_out] @ weights + bias
            remaining[left_out] -= added.reshape(-1, *wrong.shape[1:])
    return remaining


def _solve(features: Floats, wrong: Floats, strength: float) -> tuple[Floats, Floats]:
    """Weights `(F, 2 K)` and bias `(2 K,)`; keypoints with the same views share a solve."""
    count = wrong.shape[1]
    weights, bias = np.zeros((features.shape[1], count, 2)), np.zeros((count, 2))
    labelled = ~np.isnan(wrong).any(axis=2)  # (V, K)
    masks, which = np.unique(labelled, axis=1, return_inverse=True)
    for i, mask in enumerate(masks.T):
        points = np.flatnonzero(which.ravel() == i)
        if mask.sum() < _MIN_VIEWS:
            continue
        targets = wrong[np.ix_(mask, points)].reshape(int(mask.sum()), -1)
        own, constant = _ridge(features[mask], targets, strength)
        weights[:, points] = own.reshape(-1, len(points), 2)
        bias[points] = constant.reshape(-1, 2)
    return weights.reshape(len(weights), -1), bias.ravel()


def _ridge(features: Floats, targets: Floats, strength: float) -> tuple[Floats, Floats]:
    """Weights and constant of a ridge regression in its dual form: fewer views than features."""
    mean, constant = features.mean(axis=0), targets.mean(axis=0)
    if not np.isfinite(strength):
        return np.zeros((features.shape[1], targets.shape[1])), constant
    centred = features - mean
    kernel = centred @ centred.T
    ridge = strength * np.trace(kernel) / 100 + 1e-9
    dual = np.linalg.solve(kernel + ridge * np.eye(len(kernel)), targets - constant)
    weights = centred.T @ dual
    return weights, constant - mean @ weights


def _mean_distance(wrong: Floats) -> float:
    return float(np.nanmean(np.linalg.norm(wrong, axis=2)))
