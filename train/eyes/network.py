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
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from edge.geometry.eye_frame import PATCH

# Of each convolution: channels, stride, side of the kernel. Processors take channels by eights; 0.8
# million multiply-adds an eye.
_CONVOLUTIONS = ((16, 2, 5), (24, 2, 3), (24, 1, 3), (32, 2, 3))
_UNITS = 32
KNEE = 0.15  # value from which on eyes are open rather than closed
_FLATNESS = 1e-4  # added to the variance of a patch, of values 0–1
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


def loss(wanted: Any, predicted: Any) -> Any:
    """The negative logarithm of the likelihood of the errors, up to a constant.

    Args:
        wanted: `(N, 2)`: how far the eyes are open, which the errors are those against, and what is
            learnt of it; see `train.eyes.views.View`.
        predicted: `(N, 2)`, of the network.
    """
    value, log_scale = predicted[:, 0], ops.clip(predicted[:, 1], _MIN_LOG, _MAX_LOG)
    away = ops.abs(wanted[:, 1] - value) * ops.exp(-ops.stop_gradient(log_scale))
    error = ops.abs(wanted[:, 0] - ops.stop_gradient(value))
    return ops.mean(away + error * ops.exp(-log_scale) + log_scale)


@dataclass(frozen=True, slots=True)
class Calibration:
    """From the network's values to openings, and their errors.

    Views of closed eyes draw doubtful ones towards closed: an opening is `slope` times the value,
    and `offset` more from `KNEE` on; a closed eye stays closed.

    Attributes:
        slope: opening per value.
        offset: of open eyes, in eye widths, not negative.
        error: factor of the stated errors, so that half of the held-out views do not exceed them.
    """

    slope: float = 1.0
    offset: float = 0.0
    error: float = 1.0

    @property
    def lines(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Slope and offset of two lines, the lower of which is the opening of a value."""
        return (self.slope + self.offset / KNEE, 0.0), (self.slope, self.offset)

    def opening(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        """Openings of values."""
        lower, upper = (slope * values + offset for slope, offset in self.lines)
        return np.asarray(np.minimum(lower, upper))


def with_outputs(trained: keras.Model, calibration: Calibration) -> keras.Model:
    """The network from `build` with the outputs that `edge` reads: `opening` and `error`.

    The calibration is part of the weights of the last layers, so that the graph has few operators:
    on a patch each takes about as long to start as to run.
    """
    *_, dense, last = trained.layers
    kernel, bias = last.get_weights()
    slopes, offsets = np.array(calibration.lines, np.float32).T
    shift = math.log(calibration.error * math.log(2))  # the median of Laplace's distribution
    lines, log_error = layers.Dense(2, name="lines"), layers.Dense(1, name="log_error")
    opening = ops.min(lines(dense.output), axis=1)
    log = ops.squeeze(log_error(dense.output), 1)
    lines.set_weights([kernel[:, :1] * slopes, bias[0] * slopes + offsets])
    log_error.set_weights([kernel[:, 1:], bias[1:] + shift])
    error = ops.exp(ops.clip(log, _MIN_LOG + shift, _MAX_LOG + shift))
    return keras.Model(trained.inputs, {"opening": opening, "error": error}, name="eyes")
