"""The exponential moving average of a network's weights, which generalises better than the last."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from edge.errors import first_line
from edge.files import write_atomically
from train.errors import RunError


class WeightAverage:
    """The average over training; its decay rises from 0.1 to the final value.

    Attributes:
        updates: number of updates so far.
    """

    def __init__(self, network: Any, decay: float) -> None:
        """Start with the current weights; `decay` is the share retained at each update, 0–1."""
        self._weights = list(network.weights)
        self._values = [ops.copy(weight.value) for weight in self._weights]
        self._decay = decay
        self.updates = 0

    def update(self) -> None:
        """Move the average towards the current weights."""
        self.updates += 1
        decay = min(self._decay, self.updates / (self.updates + 9))
        self._values = [
            ops.stop_gradient(value + (1 - decay) * (weight.value - value))
            for value, weight in zip(self._values, self._weights, strict=True)
        ]

    def weights(self) -> list[Any]:
        """The averages, as `set_weights` takes them."""
        return [ops.convert_to_numpy(value) for value in self._values]

    def save(self, path: Path) -> None:
        """Write the averages to an `.npz` file atomically."""
        with write_atomically(path) as part:
            np.savez(part, *self.weights(), updates=self.updates)

    def load(self, path: Path) -> None:
        """Continue from a file of `save`.

        Raises:
            RunError: the file is missing, malformed or of another network.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                updates = int(arrays["updates"])
                saved = [arrays[f"arr_{i}"] for i in range(len(self._values))]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise RunError(f"{path}: cannot be read as averages ({first_line(error)})") from error
        if [value.shape for value in saved] != [tuple(value.shape) for value in self._values]:
            raise RunError(f"{path}: has the weights of another network")
        self.updates = updates
        self._values = [ops.convert_to_tensor(value) for value in saved]
