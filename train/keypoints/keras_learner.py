"""Optimizer steps of a residual network by Keras, on whichever backend it runs.

Legend: B crops of a batch.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from edge.errors import first_line
from edge.files import write_atomically
from train.checkpoints import load, save
from train.errors import RunError
from train.keypoints.joint_loss import joint_loss
from train.recipes import JointRecipe
from train.run_record import LAST

AVERAGE = "average.npz"


class KerasLearner:
    """A network in training: the optimizer's state and the moving average of the weights.

    Attributes:
        loss: of the last batch; None before the first.
    """

    CHECKPOINT = LAST

    def __init__(self, network: Any, recipe: JointRecipe, batches_per_update: int) -> None:
        """Start with the weights of a network, which is trained itself.

        Args:
            network: from `residual`.
            recipe: learning rate, weight decay and momentum of the average.
            batches_per_update: how many batches are learnt between updates of the average.
        """
        optimizer = keras.optimizers.AdamW(recipe.learning_rate, weight_decay=recipe.weight_decay)
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        # XLA slows these networks on CPUs.
        jit: bool | str = False if keras.backend.backend() == "tensorflow" else "auto"
        network.compile(optimizer=optimizer, loss=joint_loss, jit_compile=jit)
        self._network = network
        self._name = recipe.name
        self._average = WeightAverage(network, recipe.momentum**batches_per_update)
        self._batches_per_update = batches_per_update
        self.loss: Any = None

    @property
    def updates(self) -> int:
        """How often the average was updated."""
        return self._average.updates

    def learn(self, images: Any, targets: Any, learning_rate: float) -> None:
        """Train on one batch, uint8 `(B, 96, 96, 1)` and float32 `(B, 167)`."""
        self._network.optimizer.learning_rate = learning_rate
        self.loss = self._network.train_on_batch(images, targets)

    def update_average(self) -> None:
        """Move the average towards the current weights."""
        self._average.update()

    def write_average(self, network: Any) -> None:
        """Give a network the averaged weights."""
        network.set_weights(self._average.weights())

    def save(self, folder: Path) -> None:
        """Write a checkpoint."""
        self._average.save(folder / AVERAGE)
        save(self._network, folder / self.CHECKPOINT)

    def resume(self, folder: Path) -> None:
        """Continue from a checkpoint.

        Raises:
            RunError: it cannot be read, or belongs to another network.
        """
        path = folder / self.CHECKPOINT
        saved = load(path)
        self._average.load(folder / AVERAGE)
        optimizer = self._network.optimizer
        optimizer.build(self._network.trainable_variables)
        try:
            self._network.set_weights(saved.get_weights())
            for variable, value in zip(optimizer.variables, saved.optimizer.variables, strict=True):
                variable.assign(value)
        except ValueError as error:
            raise RunError(f"{path}: has another architecture than {self._name}") from error
        # An interruption between the two files leaves an average that is one checkpoint newer.
        self._average.updates = int(optimizer.iterations) // self._batches_per_update


class WeightAverage:
    """The exponential moving average of a network's weights: it generalises better than the last.

    Its decay rises from 0.1 to the final value.

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
