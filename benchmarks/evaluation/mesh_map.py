"""A linear map from the points of another scheme to labelled points, fitted by ridge regression.

Schemes differ by more than one offset per point, so a peer's mesh is mapped by what its own
vertices predict best. The map is cross-fitted: that of a face is fitted on the faces of the other
folds, so no face is measured by a map that has seen its labels. This favours the peer, since the
map learns how this set was annotated.

Legend: F faces, P points of the other scheme, T target points.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.geometry.affine import invert, transform
from edge.geometry.similarity import fit_similarity

_FOLDS = 5
_NEIGHBOURS = 24  # vertices nearest to a target point, from which it is predicted
_RIDGE = 1e-5  # penalty, in squared face sizes per face

Points = NDArray[np.float64]


def cross_fit(points: Points, targets: Points) -> Points:
    """The target points of each face as the other folds' map predicts them.

    Args:
        points: `(F, P, 2)` px, of the other scheme.
        targets: `(F, T, 2)` px, labels.

    Returns:
        `(F, T, 2)` px.

    Raises:
        ValueError: there are fewer faces than folds.
    """
    if len(points) < _FOLDS:
        raise ValueError(f"{len(points)} faces; at least {_FOLDS} are needed to fit a map")
    poses = _poses(points)
    inverses = [invert(pose) for pose in poses]
    framed = np.stack([transform(m, face) for m, face in zip(inverses, points, strict=True)])
    wanted = np.stack([transform(m, face) for m, face in zip(inverses, targets, strict=True)])
    predicted = np.empty_like(wanted)
    folds = np.arange(len(points)) % _FOLDS
    for fold in range(_FOLDS):
        held_out = folds == fold
        predicted[held_out] = _predict(framed[~held_out], wanted[~held_out], framed[held_out])
    return np.stack([transform(m, face) for m, face in zip(poses, predicted, strict=True)])


def _poses(points: Points) -> list[NDArray[np.float64]]:
    """For each face the similarity from the mean of all, of unit size, to it."""
    centred = points - points.mean(axis=1, keepdims=True)
    mean = (centred / np.linalg.norm(centred, axis=(1, 2), keepdims=True)).mean(axis=0)
    mean /= np.sqrt((mean**2).sum(axis=1).mean())
    poses = [fit_similarity(mean, face) for face in points]
    return [pose for pose in poses if pose is not None]


def _predict(points: Points, targets: Points, queries: Points) -> Points:
    """Fit on `points` and `targets`, and predict the targets of `queries`."""
    mean, mean_targets = points.mean(axis=0), targets.mean(axis=0)
    predicted = np.empty((len(queries), targets.shape[1], 2))
    for t, target in enumerate(mean_targets):
        near = np.argsort(np.linalg.norm(mean - target, axis=1))[:_NEIGHBOURS]
        x = (points[:, near] - mean[near]).reshape(len(points), -1)
        y = targets[:, t] - target
        penalty = _RIDGE * len(points) * np.eye(x.shape[1])
        weights = np.linalg.solve(x.T @ x + penalty, x.T @ y)
        query = (queries[:, near] - mean[near]).reshape(len(queries), -1)
        predicted[:, t] = target + query @ weights
    return predicted
