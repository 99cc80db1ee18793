"""The epoch loop that keypoint network and detector share: train, checkpoint, resume, stop."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from train.checkpoints import (
    copy_weights,
    load,
    read_history,
    restore_dropout,
    save,
    write_history,
)
from train.learning_rate import make_schedule
from train.recipes import FaceRecipe, Recipe
from train.run_record import BEST, LAST


@dataclass(frozen=True, slots=True)
class Monitor:
    """The value that selects the best epoch.

    Attributes:
        column: its column in `history.csv`; lower is better.
        description: a format string with one number, for the line printed after each epoch.
        patience: epochs without an improvement after which training stops.
    """

    column: str
    description: str
    patience: int


@dataclass(frozen=True, slots=True)
class Training:
    """What the loop needs to know about one training.

    Attributes:
        recipe: number of epochs, batch size, learning rate and seed.
        steps_per_epoch: optimizer steps of one epoch.
        build: creates the compiled network of a new run.
        batches: creates the training data from an epoch on, counted from 0.
        validation: inputs and targets.
        monitor: selects the best epoch.
    """

    recipe: Recipe | FaceRecipe
    steps_per_epoch: int
    build: Callable[[], Any]
    batches: Callable[[int], keras.utils.PyDataset]
    validation: tuple[Any, Any]
    monitor: Monitor


def fit(training: Training, folder: Path, resume: bool, start_from: Path | None = None) -> Any:
    """Train a network, with checkpoints in `folder`.

    Args:
        training: network, data and settings.
        folder: the run folder; it exists.
        resume: continue after the last complete epoch, if there is one.
        start_from: a trained model of the same architecture, whose weights a new run starts with.

    Returns:
        The network of the best epoch.

    Raises:
        RunError: the last checkpoint or `start_from` cannot be read, or has another architecture.
    """
    network, epoch = _open_network(training, folder, resume)
    if start_from and epoch == 0:
        copy_weights(network, start_from)
    history = read_history(folder, epoch)
    if epoch < training.recipe.epochs and not _has_stopped(history, training.monitor):
        network.fit(
            training.batches(epoch),
            initial_epoch=epoch,
            epochs=training.recipe.epochs,
            validation_data=training.validation,
            validation_batch_size=training.recipe.batch_size,
            shuffle=False,
            verbose=1 if sys.stdout.isatty() else 0,  # in a log file: one line per epoch
            callbacks=[Checkpoints(folder, training.monitor, history)],
        )
    return load(folder / BEST)


def _open_network(training: Training, folder: Path, resume: bool) -> tuple[Any, int]:
    """The network, and the number of epochs it has been trained for."""
    if not (resume and (folder / LAST).exists()):
        return training.build(), 0
    network = load(folder / LAST)
    step = int(network.optimizer.iterations)
    # The recipe may have more epochs than the run started with.
    network.optimizer.learning_rate = make_schedule(training.recipe, training.steps_per_epoch)
    restore_dropout(network, training.recipe.seed, step)
    return network, step // training.steps_per_epoch


def _epochs_since_best(history: pd.DataFrame, monitor: Monitor) -> int:
    return len(history) - 1 - int(history[monitor.column].argmin())


def _has_stopped(history: pd.DataFrame, monitor: Monitor) -> bool:
    return not history.empty and _epochs_since_best(history, monitor) >= monitor.patience


def jit_mode() -> bool | str:
    """Keras's `jit_compile` argument for these networks.

    XLA, the default on TensorFlow, makes them two to four times slower on a CPU.
    """
    return False if keras.backend.backend() == "tensorflow" else "auto"


class Checkpoints(keras.callbacks.Callback):
    """Writes history and checkpoints after each epoch, and stops training without improvement."""

    def __init__(self, folder: Path, monitor: Monitor, history: pd.DataFrame) -> None:
        """Continue `history`, which is empty for a new run."""
        super().__init__()
        self._folder = folder
        self._monitor = monitor
        self._rows: list[dict[Any, Any]] = history.to_dict("records")
        self._first_epoch = len(history)
        self._start = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Record epoch `epoch` (from 0), save the network, and stop if nothing improves."""
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        values = {name: float(value) for name, value in (logs or {}).items()}
        self._rows.append({"epoch": epoch + 1, "learning_rate": rate, **values})
        history = pd.DataFrame(self._rows)
        write_history(history, self._folder)
        since_best = _epochs_since_best(history, self._monitor)
        if since_best == 0:
            save(self.model, self._folder / BEST)
        save(self.model, self._folder / LAST)
        if since_best >= self._monitor.patience:
            self.model.stop_training = True
        self._print_progress(epoch + 1, values.get(self._monitor.column, float("nan")))

    def _print_progress(self, epoch: int, value: float) -> None:
        epochs = self.params["epochs"]
        seconds = (time.monotonic() - self._start) / (epoch - self._first_epoch)
        remaining_minutes = (epochs - epoch) * seconds / 60
        print(
            f"epoch {epoch} of {epochs}: {self._monitor.description.format(value)}, "
            f"{seconds:.0f} s per epoch, at most {remaining_minutes:.0f} min left",
            flush=True,
        )
