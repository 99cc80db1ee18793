"""A network of two hidden layers in numpy, and its training by Adam (Kingma and Ba, 2015).

Legend: B faces of a batch, D inputs, H hidden units, K expressions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_MEAN_DECAY, _SQUARE_DECAY, _SMALLEST = 0.9, 0.999, 1e-8


class Network:
    """A perceptron with rectified hidden layers and linear outputs.

    Attributes:
        layers: weights and biases in turn: `(D, H)`, `(H,)`, `(H, H)`, `(H,)`, `(H, K)`, `(K,)`.
    """

    def __init__(self, rng: np.random.Generator, inputs: int, hidden: int, outputs: int) -> None:
        """Draw the weights, of variance 2 per input (He et al., 2015)."""
        self.layers: list[Array] = []
        for count, size in ((inputs, hidden), (hidden, hidden), (hidden, outputs)):
            weights = rng.normal(0, np.sqrt(2 / count), (count, size))
            self.layers += [weights.astype(np.float32), np.zeros(size, np.float32)]
        self._means = [np.zeros_like(layer) for layer in self.layers]
        self._squares = [np.zeros_like(layer) for layer in self.layers]
        self._steps = 0

    def __call__(self, inputs: Array) -> Array:
        """Outputs `(B, K)` of inputs `(B, D)`."""
        return self._forward(inputs)[-1]

    def train(self, inputs: Array, targets: Array, rate: float) -> None:
        """Take one step towards targets `(B, K)` by their mean squared error."""
        first, second, outputs = self._forward(inputs)
        by_output: Array = (outputs - targets) / np.float32(len(inputs))
        by_second: Array = np.where(second > 0, by_output @ self.layers[4].T, np.float32(0))
        by_first: Array = np.where(first > 0, by_second @ self.layers[2].T, np.float32(0))
        pairs = ((inputs, by_first), (first, by_second), (second, by_output))
        gradients: list[Array] = []
        for values, by in pairs:
            gradients += [values.T @ by, by.sum(axis=0)]
        self._step(gradients, rate)

    def _forward(self, inputs: Array) -> tuple[Array, Array, Array]:
        first = np.maximum(inputs @ self.layers[0] + self.layers[1], 0)
        second = np.maximum(first @ self.layers[2] + self.layers[3], 0)
        return first, second, second @ self.layers[4] + self.layers[5]

    def _step(self, gradients: list[Array], rate: float) -> None:
        self._steps += 1
        per_mean, per_square = (1 - d**self._steps for d in (_MEAN_DECAY, _SQUARE_DECAY))
        state = zip(self.layers, self._means, self._squares, gradients, strict=True)
        for layer, mean, square, gradient in state:
            mean += (1 - _MEAN_DECAY) * (gradient - mean)
            square += (1 - _SQUARE_DECAY) * (gradient**2 - square)
            layer -= rate * (mean / per_mean) / (np.sqrt(square / per_square) + _SMALLEST)
