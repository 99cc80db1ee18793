"""Losses and metrics over keypoints with missing labels, in `keras.ops` alone.

Legend: N faces, K keypoints. Tensors are `(N, 2K)`, px; a missing label is NaN and is masked.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

Tensor = Any  # a tensor of whichever backend Keras runs on


@keras.saving.register_keras_serializable("train")
def masked_mse(true: Tensor, predicted: Tensor) -> Tensor:
    """Mean squared error over labelled coordinates, px², scalar; 0 without labels."""
    squared, labelled = _squared(true, predicted)
    return ops.sum(squared) / ops.maximum(ops.sum(labelled), 1.0)


@keras.saving.register_keras_serializable("train")
def masked_absolute(true: Tensor, predicted: Tensor) -> Tensor:
    """Mean absolute difference over labelled values, scalar; 0 without labels."""
    squared, labelled = _squared(true, predicted)
    return ops.sum(ops.sqrt(squared + 1e-12)) / ops.maximum(ops.sum(labelled), 1.0)


@keras.saving.register_keras_serializable("train")
def masked_distance(true: Tensor, predicted: Tensor) -> Tensor:
    """Mean Euclidean distance of labelled points, px, scalar; 0 without labels.

    The numerator of the normalised mean error; more robust to wrong labels than a squared error.
    """
    squared, labelled = _squared(true, predicted)
    points = ops.sum(ops.reshape(squared, (-1, 2)), axis=-1)
    labelled_points = ops.reshape(labelled, (-1, 2))[:, 0]
    total = ops.sum(labelled_points * ops.sqrt(points + 1e-6))
    return total / ops.maximum(ops.sum(labelled_points), 1.0)


LOSSES = {"mse": masked_mse, "distance": masked_distance}


@keras.saving.register_keras_serializable("train")
def accuracy(true: Tensor, predicted: Tensor) -> Tensor:
    """Keras's categorical `accuracy` applied to coordinates: whether the argmax agrees, `(N,)`.

    Reported because published notebooks for this task report it; it says little about the
    localisation error, which `RMSE` measures.
    """
    masked_true = ops.where(ops.isnan(true), ops.full_like(predicted, -1e9), true)
    masked_predicted = ops.where(ops.isnan(true), ops.full_like(predicted, -1e9), predicted)
    same = ops.equal(ops.argmax(masked_true, axis=-1), ops.argmax(masked_predicted, axis=-1))
    return ops.cast(same, "float32")


@keras.saving.register_keras_serializable("train")
class RMSE(keras.metrics.Metric):
    """Root mean squared error, px, over all labelled coordinates since the last reset."""

    def __init__(self, name: str = "rmse", **kwargs: Any) -> None:
        """Create the metric with empty sums."""
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> None:
        """Add a batch, `(N, 2K)` px each; sample weights are ignored."""
        squared, labelled = _squared(y_true, y_pred)
        self.total.assign(self.total + ops.sum(squared))
        self.count.assign(self.count + ops.sum(labelled))

    def result(self) -> Tensor:
        """The error so far, px per coordinate."""
        return ops.sqrt(self.total / ops.maximum(self.count, 1.0))


def _squared(true: Tensor, predicted: Tensor) -> tuple[Tensor, Tensor]:
    # NaN times zero is NaN, so labels are replaced before the subtraction, not masked after it.
    labelled = ops.logical_not(ops.isnan(true))
    difference = ops.where(labelled, true, predicted) - predicted
    return ops.square(difference), ops.cast(labelled, predicted.dtype)
