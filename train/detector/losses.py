"""The detector's loss, in `keras.ops` alone.

Legend: N canvases, C cells.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from train.detector.targets import FACE, UNASKED, cell_centres

Tensor = Any  # a tensor of whichever backend Keras runs on

_FOCUS, _SHARE = 2.0, 0.75
_BOX_WEIGHT = 2.0
_LARGEST_LOG = 4.0  # of a box's side over the stride; exp must not overflow


def decode(answers: Tensor, centres: Tensor, strides: Tensor) -> Tensor:
    """Boxes of the cells' answers.

    Args:
        answers: `(N, C, 5)`: a logit, the shift of the box's centre from the cell's in strides, x
            and y, and the logarithm of width and height in strides.
        centres: `(C, 2)` px.
        strides: `(C, 1)` px.

    Returns:
        `(N, C, 4)`: centre x and y, width and height, px.
    """
    centre = centres + answers[..., 1:3] * strides
    size = ops.exp(ops.minimum(answers[..., 3:5], _LARGEST_LOG)) * strides
    return ops.concatenate([centre, size], axis=-1)


def intersection_over_union(boxes: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """How well boxes, as from `decode`, fit others, cell by cell.

    Returns:
        Intersection over union, and the squared distance of the centres over that of the enclosing
        box's corners (Zheng et al., 2020); both `(N, C)`.
    """
    low, high = _corners(boxes)
    other_low, other_high = _corners(others)
    shared = ops.prod(
        ops.maximum(ops.minimum(high, other_high) - ops.maximum(low, other_low), 0.0), axis=-1
    )
    areas = ops.prod(boxes[..., 2:], axis=-1) + ops.prod(others[..., 2:], axis=-1)
    around = ops.maximum(high, other_high) - ops.minimum(low, other_low)
    apart = ops.sum(ops.square(boxes[..., :2] - others[..., :2]), axis=-1)
    diagonal = ops.sum(ops.square(around), axis=-1)
    return shared / ops.maximum(areas - shared, 1e-6), apart / ops.maximum(diagonal, 1e-6)


def _corners(boxes: Tensor) -> tuple[Tensor, Tensor]:
    half = boxes[..., 2:] / 2
    return boxes[..., :2] - half, boxes[..., :2] + half


@keras.saving.register_keras_serializable("train")
class DetectionLoss(keras.losses.Loss):
    """Is there a face, and where is its box.

    The first is a varifocal loss (Zhang et al., 2021): a cell of a face is to say how well its box
    fits, half of it for the mere face, so that of several boxes the best has the highest score;
    other cells count the less, the surer they are. The second is the distance-IoU loss. Both are
    divided by the number of the faces' cells.
    """

    def __init__(self, side: int, name: str = "detection", **kwargs: Any) -> None:
        """For square canvases of `side` px."""
        super().__init__(name=name, **kwargs)
        self.side = side
        centres, strides = cell_centres(side, side)
        self._centres, self._strides = centres, np.asarray(strides[:, None])

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """The loss of each canvas times N over the faces' cells, `(N,)`."""
        centres = ops.convert_to_tensor(self._centres)
        strides = ops.convert_to_tensor(self._strides)
        face = ops.cast(ops.equal(y_true[..., 0], FACE), "float32")
        asked = ops.cast(ops.not_equal(y_true[..., 0], UNASKED), "float32")
        fit, apart = intersection_over_union(decode(y_pred, centres, strides), y_true[..., 1:])
        quality = face * (0.5 + 0.5 * ops.stop_gradient(fit))
        logit = y_pred[..., 0]
        chance = ops.stop_gradient(ops.sigmoid(logit))
        weight = face * quality + (1 - face) * _SHARE * chance**_FOCUS
        entropy = ops.softplus(logit) - quality * logit
        scores = asked * weight * entropy
        boxes = face * (1 - fit + apart)
        cells = ops.maximum(ops.sum(face), 1.0)
        count = ops.cast(ops.shape(y_true)[0], "float32")
        return ops.sum(scores + _BOX_WEIGHT * boxes, axis=-1) * count / cells

    def get_config(self) -> dict[str, Any]:
        """What `__init__` takes."""
        return {**super().get_config(), "side": self.side}
