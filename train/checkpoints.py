"""The training loop's memory: what is written after each epoch, and how a run is continued.

A run folder holds `history.csv`, `best.keras` (lowest validation RMSE) and `last.keras` (with the
optimiser). After an epoch they are written in that order, each by replacing the old file, so
whatever moment a run is cut off, `last.keras` says which epoch is the last whole one, and later
rows of the history are dropped on resuming.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from train.data.faces import Faces
from train.errors import RunError
from train.keypoints.batches import Batches
from train.keypoints.network import build, learning_rate
from train.recipes import Recipe
from train.run_record import BEST, HISTORY, LAST


class Progress(keras.callbacks.Callback):
    """Writes history and checkpoints after each epoch, and stops when nothing improves."""

    def __init__(
        self,
        folder: Path,
        patience: int,
        history: pd.DataFrame,
        monitor: str = "val_rmse",
        meaning: str = "validation RMSE {:.3f} px",
    ) -> None:
        """Continue `history` (empty for a new run) in `folder`; the least `monitor` is the best."""
        super().__init__()
        self._monitor, self._meaning = monitor, meaning
        self._folder, self._patience = folder, patience
        self._rows: list[dict[Any, Any]] = history.to_dict("records")
        self._first, self._start = len(history), time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Record epoch `epoch` (from 0), save, and decide whether to go on."""
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        values = {name: float(value) for name, value in (logs or {}).items()}
        self._rows.append({"epoch": epoch + 1, "learning_rate": rate, **values})
        history = pd.DataFrame(self._rows)
        part = self._folder / f"{HISTORY}.part"
        history.to_csv(part, index=False)
        part.replace(self._folder / HISTORY)
        since_best = len(history) - 1 - int(history[self._monitor].argmin())
        if since_best == 0:
            save(self.model, self._folder / BEST)
        save(self.model, self._folder / LAST)
        if since_best >= self._patience:
            self.model.stop_training = True
        self._report(epoch + 1, values.get(self._monitor, float("nan")))

    def _report(self, done: int, value: float) -> None:
        pace = (time.monotonic() - self._start) / (done - self._first)
        left = (self.params["epochs"] - done) * pace / 60
        print(
            f"epoch {done} of {self.params['epochs']}: {self._meaning.format(value)}, "
            f"{pace:.0f} s an epoch, at most {left:.0f} min left",
            flush=True,
        )


def fit(
    recipe: Recipe,
    training: Faces,
    validation: Faces,
    folder: Path,
    resume: bool,
    start_from: Path | None = None,
) -> Any:
    """Train the recipe's network and leave its checkpoints in `folder`.

    Args:
        recipe: all settings.
        training: faces to learn from.
        validation: faces that choose the best epoch.
        folder: where the run lives; it exists.
        resume: go on from the last whole epoch, if there is one.
        start_from: a trained model of the same network, whose weights a new run begins with.

    Returns:
        The network of the best epoch.

    Raises:
        RunError: the last checkpoint cannot be read, or `start_from` is another network.
    """
    steps = -(-len(training) // recipe.batch_size)
    network, epoch = _start(recipe, steps, folder, resume)
    if start_from and epoch == 0:
        take_weights(network, start_from)
    history = read_history(folder, epoch)
    stopped = epoch and epoch - 1 - int(history["val_rmse"].argmin()) >= recipe.patience
    if epoch < recipe.epochs and not stopped:
        network.fit(
            Batches(training, recipe, epoch),
            initial_epoch=epoch,
            epochs=recipe.epochs,
            validation_data=(
                validation.images[..., None],
                validation.keypoints.reshape(len(validation), -1),
            ),
            validation_batch_size=recipe.batch_size,
            shuffle=False,
            verbose=1 if sys.stdout.isatty() else 0,  # a log takes one line an epoch
            callbacks=[Progress(folder, recipe.patience, history)],
        )
    return load(folder / BEST)


def save(network: keras.Model, path: Path) -> None:
    """Write a Keras model so that `path` is always a whole file."""
    part = path.with_name(f"part-{path.name}")
    network.save(part)
    part.replace(path)


def load(path: Path) -> Any:
    """Read a Keras model.

    Raises:
        RunError: it is missing or cannot be read.
    """
    try:
        return keras.saving.load_model(path)
    except (ValueError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(f"{path}: cannot be read as a Keras model ({reason})") from error


def _start(recipe: Recipe, steps: int, folder: Path, resume: bool) -> tuple[Any, int]:
    if resume and (folder / LAST).exists():
        network = load(folder / LAST)
        done = int(network.optimizer.iterations)
        network.optimizer.learning_rate = learning_rate(recipe, steps)  # the run may be longer now
        _restore_dropout(network, recipe.seed, done)
        return network, done // steps
    return build(recipe, steps), 0


def take_weights(network: Any, path: Path) -> None:
    """Give a network the weights of a trained model that has layers of the same names.

    Raises:
        RunError: the model cannot be read, or is another network.
    """
    parent = {layer.name: layer for layer in load(path).layers}
    for layer in network.layers:
        if not layer.weights:
            continue
        try:
            layer.set_weights(parent[layer.name].get_weights())
        except (KeyError, ValueError) as error:
            raise RunError(
                f"{path}: is another network than {network.name}: layer {layer.name} differs"
            ) from error


def _restore_dropout(network: Any, seed: int, steps_done: int) -> None:
    # A .keras file keeps no random state; dropout draws once a step, counting from its seed.
    for layer in network.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.seed_generator.state.assign([seed, steps_done])


def read_history(folder: Path, epochs: int) -> pd.DataFrame:
    """The first `epochs` rows of a run's history."""
    if epochs == 0:
        return pd.DataFrame()
    history = pd.read_csv(folder / HISTORY)
    return history[history["epoch"] <= epochs]
