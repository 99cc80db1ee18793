"""Keras models on disk: written atomically after each epoch, read back, and used as a start.

A run folder contains `history.csv`, `best.keras` (lowest monitored value) and `last.keras` (with
the optimizer's state). After an epoch they are written in that order, each atomically, so that
`last.keras` identifies the last complete epoch whenever a run is interrupted; rows of the history
after that epoch are dropped on resuming.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import pandas as pd

# Loading a model looks these classes up by their registered names.
import train.keypoints.losses
import train.learning_rate
import train.torch_layers  # noqa: F401
from edge.errors import first_line
from edge.files import write_atomically
from train.errors import RunError
from train.run_record import HISTORY


def save(model: keras.Model, path: Path) -> None:
    """Write a Keras model atomically."""
    with write_atomically(path) as part:
        model.save(part)


def load(path: Path) -> Any:
    """Read a Keras model.

    Raises:
        RunError: the file is missing or cannot be read.
    """
    try:
        return keras.saving.load_model(path)
    except (ValueError, OSError) as error:
        reason = first_line(error)
        raise RunError(f"{path}: cannot be read as a Keras model ({reason})") from error


def copy_weights(network: Any, path: Path) -> None:
    """Copy the weights of a trained model into the layers of the same names.

    Args:
        network: every layer of it that has weights is assigned.
        path: the trained model, which may have further layers.

    Raises:
        RunError: the model cannot be read, or a layer is absent or has another shape.
    """
    trained = {layer.name: layer for layer in load(path).layers}
    for layer in network.layers:
        if not layer.weights:
            continue
        try:
            layer.set_weights(trained[layer.name].get_weights())
        except (KeyError, ValueError) as error:
            raise RunError(
                f"{path}: has another architecture than {network.name}: layer {layer.name} differs"
            ) from error


def restore_dropout(network: Any, seed: int, step: int) -> None:
    """Set the random state of dropout layers to that after `step` steps.

    A `.keras` file does not contain it; dropout draws once per step, counting from its seed.
    """
    for layer in network.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.seed_generator.state.assign([seed, step])


def read_history(folder: Path, epochs: int) -> pd.DataFrame:
    """The first `epochs` rows of a run's `history.csv`; empty for 0."""
    if epochs == 0:
        return pd.DataFrame()
    history = pd.read_csv(folder / HISTORY)
    return history[history["epoch"] <= epochs]


def write_history(history: pd.DataFrame, folder: Path) -> None:
    """Write a run's `history.csv` atomically."""
    with write_atomically(folder / HISTORY) as part:
        history.to_csv(part, index=False)
