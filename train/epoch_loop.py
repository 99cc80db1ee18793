"""The epoch loop of the plain keypoint networks: train, checkpoint, resume, stop."""

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
from train.learning_rate import TimeLimit, make_schedule
from train.recipes import Recipe
from train.run_record import BEST, LAST

_PRINT_SECONDS = 5.0  # between lines of a training with a time limit
_SHOW_MINUTES_FROM_S = 90


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
        minutes: time limit; None: all epochs.
    """

    recipe: Recipe
    steps_per_epoch: int
    build: Callable[[], Any]
    batches: Callable[[int], keras.utils.PyDataset]
    validation: tuple[Any, Any]
    monitor: Monitor
    minutes: float | None = None


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
    limit = _time_limit(training, history)
    has_ended = _has_stopped(history, training.monitor) or (limit is not None and limit.is_over())
    if epoch < training.recipe.epochs and not has_ended:
        network.fit(
            training.batches(epoch),
            initial_epoch=epoch,
            epochs=training.recipe.epochs,
            validation_data=training.validation,
            validation_batch_size=training.recipe.batch_size,
            shuffle=False,
            # In a log file one line per epoch; the epochs of a short time are short.
            verbose=1 if sys.stdout.isatty() and not limit else 0,
            callbacks=[
                *([limit] if limit else []),
                Checkpoints(folder, training.monitor, history, limit),
            ],
        )
    return load(folder / BEST)


def _time_limit(training: Training, history: pd.DataFrame) -> TimeLimit | None:
    if training.minutes is None:
        return None
    return TimeLimit(training.recipe, training.minutes, history)


def _open_network(training: Training, folder: Path, resume: bool) -> tuple[Any, int]:
    """The network, and the number of epochs it has been trained for."""
    if not (resume and (folder / LAST).exists()):
        return training.build(), 0
    network = load(folder / LAST)
    step = int(network.optimizer.iterations)
    if training.minutes is None:
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

    def __init__(
        self,
        folder: Path,
        monitor: Monitor,
        history: pd.DataFrame,
        limit: TimeLimit | None = None,
    ) -> None:
        """Continue `history`, which is empty for a new run; `limit` runs before this callback."""
        super().__init__()
        self._folder = folder
        self._monitor = monitor
        self._rows: list[dict[Any, Any]] = history.to_dict("records")
        self._first_epoch = len(history)
        self._limit = limit
        self._start = self._printed = time.monotonic()

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
        now = time.monotonic()
        is_last = self.model.stop_training or epoch == self.params["epochs"]
        if self._limit and not is_last and now - self._printed < _PRINT_SECONDS:
            return
        self._printed = now
        seconds = (now - self._start) / (epoch - self._first_epoch)
        remaining_s = (self.params["epochs"] - epoch) * seconds
        count = f"epoch {epoch} of {self.params['epochs']}"
        if self._limit:
            remaining_s = 0.0 if is_last else min(remaining_s, self._limit.remaining_s)
            count = f"epoch {epoch}"
        print(
            f"{count}: {self._monitor.description.format(value)}, "
            f"{seconds:.1f} s per epoch, at most {describe_time(remaining_s)} left",
            flush=True,
        )


def describe_time(seconds: float) -> str:
    """A remaining time in whole seconds, or from a minute and a half on in minutes."""
    return f"{seconds:.0f} s" if seconds < _SHOW_MINUTES_FROM_S else f"{seconds / 60:.0f} min"
