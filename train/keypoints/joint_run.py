"""A training run of a residual network: what `python -m train.run` does for a `keypoints` recipe.

The run folder gets what `export.run` reads: `model.keras`, and crops of training and of held-out
faces.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edge.evaluation.metrics import normalised_mean_error, share_inside
from train.checkpoints import save
from train.data.faces import hash_file
from train.data.labelled_faces import LabelledFaces, are_held_out, load_labelled
from train.errors import DataError, RunError
from train.keypoints.error_calibration import measure_scale, mild_crops
from train.keypoints.joint_training import NETWORK, Options, train_jointly
from train.keypoints.residual_network import to_contract
from train.recipes import JointRecipe
from train.run_record import (
    CALIBRATION,
    MODEL,
    VALIDATION,
    RunPaths,
    describe,
    open_run,
    write_record,
)

_CALIBRATION_FACES = 256  # enough for the range of every activation


@dataclass(frozen=True, slots=True)
class _Crops:
    """Crops, uint8 `(N, 96, 96)`, and their keypoints, float32 `(N, 15, 2)` px."""

    images: NDArray[np.uint8]
    keypoints: NDArray[np.float32]

    def save(self, path: Path) -> None:
        """Write them as `export` reads them."""
        np.savez_compressed(path, faces=self.images, keypoints=self.keypoints)


def train_joint(
    recipe: JointRecipe, paths: RunPaths, teacher: Path | None, minutes: float | None
) -> dict[str, Any]:
    """Train a residual network and write the run folder.

    Args:
        recipe: all settings.
        paths: what is read and written; `data` is a file of `train.prepare --recipe keypoints`.
        teacher: `network.keras` of another run, to be distilled; None trains on the labels alone.
        minutes: time limit of this start; None trains on all samples of the recipe.

    Returns:
        What was written to `run.json`.

    Raises:
        DataError: the data file is missing or malformed, or there are too few labelled faces.
        RunError: the run folder, the teacher or the initial network cannot be used.
    """
    start_from = paths.start_from / NETWORK if paths.start_from else None
    faces = load_labelled(paths.data)
    training, held_out = split_held_out(faces)
    hashes = {paths.data.name: hash_file(paths.data)}
    for name, file in (("start_from", start_from), ("teacher", teacher)):
        if file:
            hashes[name] = _hash_network(file)
    seconds = minutes * 60 if minutes else None
    options = Options(seconds, teacher=teacher, start_from=start_from, resume=paths.resume)
    record = open_run(paths, describe(recipe, hashes, keras.backend.backend()))
    network = train_jointly(recipe, training, paths.output, options)
    record.update(finish_run(recipe, network, training, held_out, paths.output))
    write_record(record, paths.output)
    return record


def split_held_out(faces: LabelledFaces) -> tuple[LabelledFaces, LabelledFaces]:
    """The training crops, and the held-out crops that are not synthetic.

    Raises:
        DataError: one of the two has no labelled face.
    """
    mask = are_held_out(faces)
    training = faces.take(~mask)
    held_out = faces.take(mask & ~faces.turned)
    real = training.labelled & ~training.turned
    if not real.any() or not held_out.labelled.any():
        raise DataError(
            f"too few different faces: {real.sum()} labelled for training and "
            f"{held_out.labelled.sum()} held out; expected at least one of each"
        )
    return training, held_out


def finish_run(
    recipe: JointRecipe,
    network: Any,
    training: LabelledFaces,
    held_out: LabelledFaces,
    folder: Path,
) -> dict[str, Any]:
    """Calibrate a trained network, evaluate it and write what `export` reads.

    The error is calibrated on the faces on which it is evaluated, so `share_inside_error` is close
    to 0.5 in any case; `benchmarks.lfpw` measures it on other faces.

    Returns:
        The entries of `run.json`.
    """
    rng = np.random.default_rng(recipe.seed)
    validation = _Crops(*mild_crops(held_out, rng))
    scale = measure_scale(network, validation.images, validation.keypoints)
    model = to_contract(network, scale.p50)
    rows = rng.permutation(np.flatnonzero(training.labelled & ~training.turned))
    calibration = _Crops(*mild_crops(training.take(rows[:_CALIBRATION_FACES]), rng))
    calibration.save(folder / CALIBRATION)
    validation.save(folder / VALIDATION)
    save(model, folder / MODEL)
    return {
        "rows": {"training": len(training), "validation": len(held_out)},
        "validation": _evaluate(model, validation),
        "error90": scale.error90,
    }


def _hash_network(path: Path) -> str:
    if not path.is_file():
        raise RunError(f"{path}: no such file; expected the network of a finished keypoints run")
    return hash_file(path)


def _evaluate(model: Any, crops: _Crops) -> dict[str, float]:
    outputs = model.predict(crops.images[..., None], verbose=0)
    inside = share_inside(outputs["error"], outputs["keypoints"], crops.keypoints)
    error = normalised_mean_error(outputs["keypoints"], crops.keypoints)
    return {
        "error": round(float(np.nanmean(error)), 5),
        "share_inside_error": round(float(np.nanmean(inside)), 4),
        "mean_face_score": round(float(outputs["face_score"].mean()), 4),
    }
