"""The detector's loss, in `keras.ops` alone.

Legend: N canvases, C cells.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from train.detector.targets import FACE, IGNORED, cell_centres

Tensor = Any  # a tensor of whichever backend Keras runs on

_GAMMA = 2.0  # exponent of the varifocal loss
_ALPHA = 0.75  # its weight of background cells
_BOX_WEIGHT = 2.0
_MAX_LOG_SIDE = 4.0  # logarithm of a box's side over the stride; keeps exp from overflowing


def decode(outputs: Tensor, centres: Tensor, strides: Tensor) -> Tensor:
    """Decode the network's outputs into boxes.

    Args:
        outputs: `(N, C, 5)`: logit, offset of the box's centre from the cell's in strides (x, y),
            and logarithm of width and height in strides.
        centres: of the cells, `(C, 2)` px.
        strides: of the cells, `(C, 1)` px.

    Returns:
        `(N, C, 4)`: centre x and y, width and height, px.
    """
    centre = centres + outputs[..., 1:3] * strides
    size = ops.exp(ops.minimum(outputs[..., 3:5], _MAX_LOG_SIDE)) * strides
    return ops.concatenate([centre, size], axis=-1)


def intersection_over_union(boxes: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Intersection over union and centre distance of pairs of boxes in the format of `decode`.

    Returns:
        Intersection over union, and the squared distance of the centres divided by the squared
        diagonal of the enclosing box (Zheng et al., 2020); both `(N, C)`.
    """
    low, high = _corners(boxes)
    other_low, other_high = _corners(others)
    intersection = ops.prod(
        ops.maximum(ops.minimum(high, other_high) - ops.maximum(low, other_low), 0.0), axis=-1
    )
    areas = ops.prod(boxes[..., 2:], axis=-1) + ops.prod(others[..., 2:], axis=-1)
    enclosing = ops.maximum(high, other_high) - ops.minimum(low, other_low)
    distance = ops.sum(ops.square(boxes[..., :2] - others[..., :2]), axis=-1)
    diagonal = ops.sum(ops.square(enclosing), axis=-1)
    return intersection / ops.maximum(areas - intersection, 1e-6), distance / ops.maximum(
        diagonal, 1e-6
    )


def _corners(boxes: Tensor) -> tuple[Tensor, Tensor]:
    half = boxes[..., 2:] / 2
    return boxes[..., :2] - half, boxes[..., :2] + half


@keras.saving.register_keras_serializable("train")
class DetectionLoss(keras.losses.Loss):
    """Varifocal classification loss plus distance-IoU box loss.

    The target score of a face's cell is (1 + IoU) / 2, so that the best of several boxes has the
    highest score; background cells are weighted by the square of their score (Zhang et al., 2021).
    Both losses are divided by the number of face cells.
    """

    def __init__(self, side: int, name: str = "detection", **kwargs: Any) -> None:
        """Create the loss for square canvases of `side` px."""
        super().__init__(name=name, **kwargs)
        self.side = side
        self._centres, strides = cell_centres(side, side)
        self._strides = np.asarray(strides[:, None])

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """The loss of each canvas, times N over the number of face cells, `(N,)`."""
        centres = ops.convert_to_tensor(self._centres)
        strides = ops.convert_to_tensor(self._strides)
        face = ops.cast(ops.equal(y_true[..., 0], FACE), "float32")
        counted = ops.cast(ops.not_equal(y_true[..., 0], IGNORED), "float32")
        iou, distance = intersection_over_union(decode(y_pred, centres, strides), y_true[..., 1:])
        quality = face * (0.5 + 0.5 * ops.stop_gradient(iou))
        logit = y_pred[..., 0]
        score = ops.stop_gradient(ops.sigmoid(logit))
        weight = face * quality + (1 - face) * _ALPHA * score**_GAMMA
        entropy = ops.softplus(logit) - quality * logit
        classification = counted * weight * entropy
        regression = face * (1 - iou + distance)
        cells = ops.maximum(ops.sum(face), 1.0)
        count = ops.cast(ops.shape(y_true)[0], "float32")
        return ops.sum(classification + _BOX_WEIGHT * regression, axis=-1) * count / cells

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`, for saving."""
        return {**super().get_config(), "side": self.side}
