"""Training of the eye network: `python -m train.eyes`.

Legend: N views.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from train.checkpoints import save
from train.data.faces import hash_file
from train.eyes.network import KNEE, Calibration, build, loss, with_outputs
from train.eyes.recipe import EyeRecipe
from train.eyes.views import EyeViews, read_views
from train.run_record import MODEL, RunPaths, describe, open_run, write_record

_FILES = ("annotations.jsonl", "mesh.npz")
_MIN_SINGULAR = 1e-6  # of the largest singular value


def train_eyes(recipe: EyeRecipe, paths: RunPaths) -> dict[str, Any]:
    """Train the eye network and write the run folder.

    Args:
        recipe: all settings.
        paths: `data` is the folder with `permissive/`.

    Returns:
        What was written to `run.json`.

    Raises:
        DataError, ImageError, OSError: as `train.eyes.views.read_views`.
        RunError: the run folder cannot be used.
    """
    folder = paths.data / "permissive"
    hashes = {name: hash_file(folder / name) for name in _FILES}
    record = {"kind": "eyes", **describe(recipe, hashes, keras.backend.backend())}
    record = open_run(paths, record)
    keras.utils.set_random_seed(recipe.seed)
    views = read_views(folder, recipe.views, np.random.default_rng(recipe.seed))
    network = _fit(recipe, views)
    record |= finish(network, views, paths.output)
    write_record(record, paths.output)
    return record


def finish(network: keras.Model, views: EyeViews, folder: Path) -> dict[str, Any]:
    """Calibrate a trained network, and write it to a run folder.

    Returns:
        What `run.json` says of it.
    """
    held_out = views.is_held_out
    predicted, wanted = _predict(network, views.patches[held_out]), views.opening[held_out]
    calibration = _calibrate(_predict(network, views.plain)[:, 0], views.opening68)
    values = calibration.opening(predicted[:, 0])
    difference = np.abs(values - wanted)
    stated = np.log(2) * np.exp(predicted[:, 1])
    calibration = replace(calibration, error=float(np.median(difference / stated)))
    bare = build(0.0)  # a compiled network would be saved with its loss
    bare.set_weights(network.get_weights())
    save(with_outputs(bare, calibration), folder / MODEL)
    return {
        "rows": {"training": int((~held_out).sum()), "validation": int(held_out.sum())},
        "calibration": {key: round(value, 4) for key, value in asdict(calibration).items()},
        "validation": {
            "difference": round(float(difference.mean()), 5),
            "correlation": round(float(np.corrcoef(values, wanted)[0, 1]), 4),
        },
    }


def _predict(network: keras.Model, patches: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(network.predict(patches[..., None], batch_size=1024, verbose=0))


def _calibrate(values: NDArray[np.floating], openings: NDArray[np.float32]) -> Calibration:
    """The line of least squares from values to openings of eyes as they are, closed at 0."""
    values = values.astype(np.float64)
    columns = np.column_stack([values, np.minimum(values / KNEE, 1.0)])
    # Where no value is above the knee, both columns are one, and the shortest solution is taken.
    slope, offset = np.linalg.lstsq(columns, openings, rcond=_MIN_SINGULAR)[0].tolist()
    return Calibration(slope, max(offset, 0.0))


def _fit(recipe: EyeRecipe, views: EyeViews) -> keras.Model:
    rows = np.flatnonzero(~views.is_held_out)
    network = build(recipe.dropout)
    steps = -(-len(rows) // recipe.batch_size) * recipe.epochs
    schedule = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay)
    network.compile(optimizer, loss)
    network.fit(
        views.patches[rows][..., None],
        np.stack([views.opening[rows], views.target[rows]], axis=1),
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        verbose=2,
    )
    return network
