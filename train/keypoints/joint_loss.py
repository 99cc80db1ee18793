"""The joint loss of keypoints, 68 points, error radius and face score.

Legend: N crops. Values are concatenated as `train.keypoints.residual_network.residual` returns
them; values without a label are NaN and are masked.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from edge.geometry.points68 import COUNT_68, JAW_68
from train.keypoints.residual_network import ERRORS, POINTS

Tensor = Any  # of the Keras backend in use

SMOOTH_PX2 = 0.1  # the distance is quadratic below the root of this, linear above
_POINTS68_WEIGHT = 0.7  # of the 68 points together, relative to the keypoints
_JAW_WEIGHT = 0.5  # of a jaw point: annotators disagree about its position along the jaw
ERROR_WEIGHT = 0.1
SCORE_WEIGHT = 0.7


def point_weights() -> list[float]:
    """The weights of the keypoints and the 68 points, `(83,)`; their sum is 1."""
    weights68 = np.ones(COUNT_68)
    weights68[list(JAW_68)] = _JAW_WEIGHT
    parts = [np.ones(ERRORS) / ERRORS, _POINTS68_WEIGHT * weights68 / weights68.sum()]
    weights = np.concatenate(parts) / (1 + _POINTS68_WEIGHT)
    return [float(weight) for weight in weights]


@keras.saving.register_keras_serializable("train")
def joint_loss(true: Tensor, predicted: Tensor) -> Tensor:
    """Weighted mean distance of the points, px, plus the losses of error and score, scalar.

    Args:
        true: `(N, POINTS + 1)`: the points, px, and 1 for a face, 0 for none.
        predicted: `(N, POINTS + ERRORS + 1)`: the points, px, their errors, px, and the logit.
    """
    distance, is_labelled = point_distances(true[:, :POINTS], predicted[:, :POINTS])
    weight = is_labelled * ops.convert_to_tensor(point_weights(), dtype="float32")
    points = ops.sum(weight * distance) / ops.maximum(ops.sum(weight), 1e-6)
    # Minimising the absolute difference makes the error the median distance.
    error = predicted[:, POINTS : POINTS + ERRORS]
    has_error = is_labelled[:, :ERRORS]
    difference = ops.abs(ops.stop_gradient(distance[:, :ERRORS]) - error) * has_error
    error_loss = ops.sum(difference) / ops.maximum(ops.sum(has_error), 1.0)
    score = score_loss(true[:, POINTS], predicted[:, -1])
    return points + ERROR_WEIGHT * error_loss + SCORE_WEIGHT * score


def point_distances(true: Tensor, predicted: Tensor) -> tuple[Tensor, Tensor]:
    """Smoothed distances, px, 0 without a label, and 1 for labelled points: `(N, 83)` each."""
    known = ops.logical_not(ops.isnan(true))
    # A product with a mask would leave NaN in values and gradients.
    squared = ops.square(ops.where(known, true, predicted) - predicted)
    squared = ops.sum(ops.reshape(squared, (-1, POINTS // 2, 2)), axis=-1)
    is_labelled = ops.cast(ops.reshape(known, (-1, POINTS // 2, 2))[..., 0], "float32")
    return is_labelled * (ops.sqrt(squared + SMOOTH_PX2) - SMOOTH_PX2**0.5), is_labelled


def score_loss(true: Tensor, logit: Tensor) -> Tensor:
    """Mean cross-entropy of the face score over the labelled crops, scalar."""
    known = ops.logical_not(ops.isnan(true))
    target = ops.where(known, true, ops.zeros_like(true))
    cross_entropy = ops.softplus(logit) - target * logit
    weight = ops.cast(known, "float32")
    return ops.sum(cross_entropy * weight) / ops.maximum(ops.sum(weight), 1.0)
