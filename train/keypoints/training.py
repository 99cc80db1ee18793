"""Training of the keypoint network: what `python -m train.run` does for a keypoint recipe."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edge.evaluation.metrics import rmse, share_inside
from edge.keypoints import KEYPOINT_NAMES
from train.checkpoints import read_history, save
from train.data.faces import Faces, hash_file, read_faces
from train.data.negatives import hash_photos, load_photos
from train.data.split import split
from train.epoch_loop import Monitor, Training, fit
from train.errors import DataError
from train.keypoints.batches import Batches
from train.keypoints.network import build
from train.keypoints.output_heads import add_heads, check_labels
from train.keypoints.score_training import CHECKPOINT, SHARE_OF_RUN, ScorePlan, count_samples
from train.plots import plot_history
from train.recipes import Recipe
from train.run_record import (
    CALIBRATION,
    MODEL,
    SETS,
    VALIDATION,
    RunPaths,
    describe,
    open_run,
    read_held_out,
    write_record,
)

_CALIBRATION_FACES = 256  # enough for the range of every activation, small enough to commit


def train_keypoints(recipe: Recipe, paths: RunPaths) -> dict[str, Any]:
    """Train a keypoint network with its output heads and write the run folder.

    Args:
        recipe: all settings.
        paths: what is read and written; `data` are prepared faces or Kaggle's `training.csv`.

    Returns:
        What was written to `run.json`.

    Raises:
        DataError: a file is missing or wrong, or there are too few faces or labels.
        RunError: the run folder or the initial model cannot be used.
    """
    start = time.monotonic()
    faces = _read(paths.data, recipe)
    negatives = load_photos(paths.negatives) if paths.negatives else []
    hashes = {paths.data.name: hash_file(paths.data), "negatives": hash_photos(negatives)}
    if paths.start_model:
        hashes["start_from"] = hash_file(paths.start_model)
    training_faces, validation_faces = _split(faces, recipe, paths.start_from)
    check_labels(training_faces, validation_faces)
    record = open_run(paths, describe(recipe, hashes, keras.backend.backend()))
    keras.utils.set_random_seed(recipe.seed)
    training = _training(recipe, training_faces, validation_faces)
    network = fit(training, paths.output, paths.resume, paths.start_model)
    record["samples"] = len(read_history(paths.output, recipe.epochs)) * len(training_faces)
    plan = _plan_score(recipe, paths, record["samples"])
    model = add_heads(network, training_faces, validation_faces, negatives, recipe, plan)
    save(model, paths.output / MODEL)
    (paths.output / CHECKPOINT).unlink(missing_ok=True)
    _save_sets(paths.output, training_faces, validation_faces, recipe)
    plot_history(paths.output)
    record["rows"] = {"training": len(training_faces), "validation": len(validation_faces)}
    record["negatives"] = len(negatives)
    record["validation"] = _evaluate(model, validation_faces)
    record["seconds_last_start"] = round(time.monotonic() - start)
    write_record(record, paths.output)
    return record


def _read(path: Path, recipe: Recipe) -> Faces:
    faces = read_faces(path)
    if not recipe.complete_only:
        return faces
    complete = np.flatnonzero(~np.isnan(faces.keypoints).any(axis=(1, 2)))
    if not complete.size:
        raise DataError(f"{path}: no face has all {len(KEYPOINT_NAMES)} keypoints")
    return faces.take(complete)


def _plan_score(recipe: Recipe, paths: RunPaths, keypoint_samples: int) -> ScorePlan:
    """The training of the face score, in proportion to that of the keypoints."""
    return ScorePlan(
        samples=count_samples(keypoint_samples, SHARE_OF_RUN),
        seed=recipe.seed,
        checkpoint=paths.output / CHECKPOINT,
        start_from=paths.start_model,
    )


def _split(faces: Faces, recipe: Recipe, start_from: Path | None) -> tuple[Faces, Faces]:
    """Padded training faces, and crops for validation: those of the initial run if it has any."""
    held_out = read_held_out(start_from, faces) if start_from else np.zeros(len(faces), bool)
    if not held_out.any():
        rng = np.random.default_rng(recipe.seed)
        rows = split(faces.crops().images, recipe.validation_share, rng, faces.groups)
        held_out[rows[1]] = True
    return faces.take(~held_out), faces.take(held_out).crops()


def _training(recipe: Recipe, training: Faces, validation: Faces) -> Training:
    steps = -(-len(training) // recipe.batch_size)
    return Training(
        recipe=recipe,
        steps_per_epoch=steps,
        build=lambda: build(recipe, steps),
        batches=lambda epoch: Batches(training, recipe, epoch),
        validation=(
            validation.images[..., None],
            validation.keypoints.reshape(len(validation), -1),
        ),
        monitor=Monitor("val_rmse", "validation RMSE {:.3f} px", recipe.patience),
        minutes=recipe.minutes,
    )


def _save_sets(folder: Path, training: Faces, validation: Faces, recipe: Recipe) -> None:
    """Save validation and calibration faces, and what identifies them in the prepared file."""
    rows = np.random.default_rng(recipe.seed).permutation(len(training))[:_CALIBRATION_FACES]
    sets = {CALIBRATION: training.take(np.sort(rows)).crops(), VALIDATION: validation}
    identities = {}
    for name, faces in sets.items():
        np.savez_compressed(folder / name, faces=faces.images, keypoints=faces.keypoints)
        pairs = zip(faces.sources.tolist(), faces.ids.tolist(), strict=True)
        identities[Path(name).stem] = list(pairs)
    (folder / SETS).write_text(json.dumps(identities) + "\n", encoding="utf-8")


def _evaluate(model: Any, faces: Faces) -> dict[str, float]:
    outputs = model.predict(faces.images[..., None], verbose=0)
    inside = share_inside(outputs["error"], outputs["keypoints"], faces.keypoints)
    return {
        "rmse_px": round(rmse(outputs["keypoints"], faces.keypoints), 4),
        "share_inside_error": round(float(np.nanmean(inside)), 4),
        "mean_face_score": round(float(outputs["face_score"].mean()), 4),
    }
