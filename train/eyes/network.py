"""The eye network: a few convolutions on the patch of one eye, and two numbers.

The opening and the logarithm of the scale of its error, which is taken to be distributed as
Laplace's. Patches are normalised inside the network, so that light and contrast do not matter.

Legend: N eyes, S side of a patch (32).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from edge.geometry.eye_frame import PATCH

# Of each convolution: channels, stride, side of the kernel. 1.2 million multiply-adds an eye.
_CONVOLUTIONS = ((12, 2, 5), (20, 2, 3), (28, 1, 3), (32, 2, 3))
_UNITS = 32
_FLATNESS = 1e-4  # added to the variance of a patch, of values 0–1
KNEE = 0.15  # value from which on eyes are open rather than closed
_MIN_LOG, _MAX_LOG = -5.0, 1.0  # of the scale of the error


def build(dropout: float) -> keras.Model:
    """The network that is trained: from uint8 `(N, S, S, 1)` to float32 `(N, 2)`."""
    inputs = layers.Input((PATCH, PATCH, 1), dtype="uint8", name="eye")
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.LayerNormalization(
        axis=(1, 2, 3), center=False, scale=False, epsilon=_FLATNESS, name="contrast"
    )(x)
    for channels, stride, kernel in _CONVOLUTIONS:
        x = layers.Conv2D(channels, kernel, stride, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
    x = layers.Dropout(dropout)(layers.Flatten()(x))
    x = layers.Dense(_UNITS, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(2, dtype="float32")(x), name="eyes")


def loss(opening: Any, predicted: Any) -> Any:
    """The negative logarithm of the likelihood of the errors, up to a constant."""
    log_scale = ops.clip(predicted[:, 1], _MIN_LOG, _MAX_LOG)
    difference = ops.abs(ops.reshape(opening, (-1,)) - predicted[:, 0])
    return ops.mean(difference * ops.exp(-log_scale) + log_scale)


@dataclass(frozen=True, slots=True)
class Calibration:
    """From the network's values to openings as the 68 points have them, and their errors.

    The mesh, whose lids the network learns, has wider eyes than people label, and views of closed
    eyes draw doubtful ones towards closed: an opening is `slope` times the value, and `offset` more
    from `KNEE` on; a closed eye stays closed.

    Attributes:
        slope: opening per value.
        offset: of open eyes, in eye widths.
        error: factor of the stated errors, so that half of the held-out views do not exceed them.
    """

    slope: float = 1.0
    offset: float = 0.0
    error: float = 1.0

    def opening(self, value: Any) -> Any:
        """Openings of values, numbers or tensors."""
        return self.slope * value + self.offset * ops.minimum(value / KNEE, 1.0)


def with_outputs(trained: keras.Model, calibration: Calibration) -> keras.Model:
    """The network from `build` with the outputs that `edge` reads: `opening` and `error`."""
    inputs = layers.Input((PATCH, PATCH, 1), dtype="uint8", name="eye")
    values = trained(inputs)
    scale = ops.exp(ops.clip(values[:, 1], _MIN_LOG, _MAX_LOG))
    outputs = {
        "opening": calibration.opening(values[:, 0]),
        "error": calibration.error * math.log(2) * scale,
    }
    return keras.Model(inputs, outputs, name="eyes")
