"""Calibration of the error radius: factors with which it contains the stated share of points.

Split-conformal prediction per keypoint (Papadopoulos et al., 2002): the factor is the quantile of
distance divided by predicted error over faces that the network was not trained on. Left and right
counterparts share a factor.

Legend: N crops, K keypoints (15).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.crop import cut
from edge.evaluation.metrics import distances
from edge.geometry.affine import Matrix, compose, transform
from edge.geometry.similarity import similarity
from edge.keypoints import MIRROR_ORDER
from train.data.faces import SIDE
from train.data.labelled_faces import MARGIN, LabelledFaces

_CROPS_PER_FACE = 3
# Standard deviations of a face's pose in its crop after the device's refinement passes.
_ROLL_DEG = 6.0
_LOG_SCALE = 0.07
_SHIFT = 0.025  # of the crop's side


@dataclass(frozen=True, slots=True)
class ErrorScale:
    """Factors of the predicted error.

    Attributes:
        p50: float64 `(15,)`; the scaled error contains 50 % of the true points.
        p90: float64 `(15,)`; it contains 90 %.
    """

    p50: NDArray[np.float64]
    p90: NDArray[np.float64]

    @property
    def error90(self) -> list[float]:
        """The factors from the calibrated (50 %) error to the one that contains 90 %, `(15,)`."""
        return [float(factor) for factor in np.round(self.p90 / self.p50, 3)]


def fit_scale(error: NDArray[np.floating], distance: NDArray[np.floating]) -> ErrorScale:
    """The factors for errors and distances `(N, 15)` px, NaN where a point is not labelled.

    The error of a keypoint without any label is left as it is, and its 90 % radius is larger by the
    median factor of the others.
    """
    ratio = distance / error
    mirrored = np.concatenate([ratio, ratio[:, list(MIRROR_ORDER)]])
    p50, p90 = (_conformal_quantiles(mirrored, share) for share in (0.5, 0.9))
    unlabelled = np.isnan(mirrored).all(axis=0)
    if unlabelled.any() and not unlabelled.all():
        p90[unlabelled] = np.median(p90[~unlabelled] / p50[~unlabelled])
    return ErrorScale(p50, p90)


def measure_scale(
    network: Any, crops: NDArray[np.uint8], keypoints: NDArray[np.float32]
) -> ErrorScale:
    """The factors for a network of `train.keypoints.residual_network.residual`.

    Args:
        network: trained.
        crops: uint8 `(N, 96, 96)` of held-out faces, from `mild_crops`.
        keypoints: float32 `(N, 15, 2)` px of the crop.
    """
    from train.keypoints.residual_network import ERRORS, POINTS  # Keras, which takes seconds

    values = np.asarray(network.predict(crops[..., None], batch_size=256, verbose=0))
    predicted = values[:, : 2 * ERRORS].reshape(-1, ERRORS, 2)
    return fit_scale(values[:, POINTS : POINTS + ERRORS], distances(predicted, keypoints))


def mild_crops(
    faces: LabelledFaces, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Crops of labelled, not synthetic faces with the pose variation that remains at run time.

    Returns:
        uint8 `(N, 96, 96)` and the keypoints in their pixels, float32 `(N, 15, 2)`; three of each
        face.
    """
    labelled = np.flatnonzero(faces.labelled & ~faces.turned)
    crops = []
    keypoints = []
    for row in np.repeat(labelled, _CROPS_PER_FACE).tolist():
        matrix = _random_matrix(rng)
        crops.append(cut(faces.images[row], matrix, SIDE))
        keypoints.append(transform(matrix, faces.keypoints[row]).astype(np.float32))
    return np.stack(crops), np.stack(keypoints)


def _random_matrix(rng: np.random.Generator) -> Matrix:
    """From px of the padded crop to px of a slightly rotated, scaled and shifted crop."""
    centre = (SIDE - 1) / 2
    x, y = centre + rng.normal(0, _SHIFT, 2) * SIDE
    scale = math.exp(rng.normal(0, _LOG_SCALE))
    movement = similarity(scale, rng.normal(0, _ROLL_DEG), (centre, centre), (x, y))
    return compose(movement, np.array([[1.0, 0.0, -MARGIN], [0.0, 1.0, -MARGIN]]))


def _conformal_quantiles(ratio: NDArray[np.floating], share: float) -> NDArray[np.float64]:
    """Per column, the value that a further draw does not exceed with probability `share`.

    The finite-sample quantile of rank ⌈(n + 1)·share⌉; 1 for columns without labels.
    """
    quantiles = np.ones(ratio.shape[1])
    for k, column in enumerate(ratio.T):
        ordered = np.sort(column[~np.isnan(column)])
        if ordered.size:
            rank = min(math.ceil((ordered.size + 1) * share), ordered.size)
            quantiles[k] = ordered[rank - 1]
    return quantiles
