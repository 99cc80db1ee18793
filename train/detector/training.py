"""Training of the face detector: what `python -m train.run --recipe face-research` does."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from train.checkpoints import save
from train.data.faces import hash_file
from train.data.negatives import hash_photos, load_photos
from train.detector.batches import CanvasBatches, make_batch, make_pool
from train.detector.canvas import CANVAS
from train.detector.false_negatives import find_false_negatives
from train.detector.false_positives import find_false_positives
from train.detector.losses import DetectionLoss
from train.detector.network import build
from train.detector.photo_file import load_photos_with_boxes
from train.detector.photo_pool import PhotoPool
from train.detector.photos import Photo
from train.epoch_loop import Monitor, Training, fit, jit_mode
from train.errors import DataError
from train.learning_rate import make_schedule
from train.recipes import FaceRecipe
from train.run_record import MODEL, RunPaths, describe, open_run, write_record
from train.torch_layers import with_torch_layers

_VALIDATION_INTERVAL = 20  # every 20th photo is held out for validation
_VALIDATION_CANVASES = 96  # composed of them once
# Canvases are composed in a thread beside the training loop; with Python's default interval of 5 ms
# each waits long for the other's turn. Saves a fifth of the time.
_SWITCH_INTERVAL_S = 3e-4


def train_detector(recipe: FaceRecipe, paths: RunPaths) -> dict[str, Any]:
    """Train the detector and write the run folder.

    Args:
        recipe: all settings.
        paths: what is read and written; `data` are photos with boxes, and the false positives and
            false negatives of `detector` are sampled more often.

    Returns:
        What was written to `run.json`.

    Raises:
        ModelError: `detector` cannot be opened.
        DataError: a file is missing or wrong, or there are no photos of the recipe's sets.
        RunError: the run folder or the initial model cannot be used.
    """
    photos = load_photos_with_boxes(paths.data)
    negatives = load_photos(paths.negatives) if paths.negatives else []
    hashes = _hash_inputs(paths, negatives)
    record = {"kind": "detector", **describe(recipe, hashes, keras.backend.backend())}
    record = open_run(paths, record)
    start = time.monotonic()
    training_photos, validation_photos = split_photos(photos)
    training_pool, validation_pool = _make_pools(
        recipe, training_photos, validation_photos, negatives, paths.detector
    )
    network = _fit(recipe, training_pool, validation_pool, paths)
    save(network, paths.output / MODEL)
    record["photos"] = {"training": len(training_photos), "validation": len(validation_photos)}
    record["negatives"] = len(negatives)
    record["lures"] = len(training_pool.false_positives)
    record["missed"] = len(training_pool.false_negatives)
    record["parameters"] = network.count_params()
    record["seconds_last_start"] = round(time.monotonic() - start)
    write_record(record, paths.output)
    return record


def split_photos(photos: list[Photo]) -> tuple[list[Photo], list[Photo]]:
    """Training photos, and every 20th photo for validation."""
    training = [photo for i, photo in enumerate(photos) if i % _VALIDATION_INTERVAL]
    return training, photos[::_VALIDATION_INTERVAL]


def _hash_inputs(paths: RunPaths, negatives: list[NDArray[np.uint8]]) -> dict[str, str]:
    hashes = {paths.data.name: hash_file(paths.data), "negatives": hash_photos(negatives)}
    if paths.detector:
        hashes["lured"] = hash_file(paths.detector)
    if paths.start_model:
        hashes["start_from"] = hash_file(paths.start_model)
    return hashes


def _make_pools(
    recipe: FaceRecipe,
    training: list[Photo],
    validation: list[Photo],
    negatives: list[NDArray[np.uint8]],
    detector: Path | None,
) -> tuple[PhotoPool, PhotoPool]:
    """What training and validation canvases are composed of."""
    pools = [make_pool(photos, negatives, recipe) for photos in (training, validation)]
    training_pool, validation_pool = pools
    if not training_pool.photos or not validation_pool.photos:
        raise DataError(
            f"too few photos of {', '.join(name for name, _ in recipe.shares)}: "
            f"{len(training_pool.photos)} for training and {len(validation_pool.photos)} for "
            "validation"
        )
    if detector is None:
        return training_pool, validation_pool
    if negatives:
        found = find_false_positives(detector, negatives)
        training_pool, validation_pool = (replace(pool, false_positives=found) for pool in pools)
    missed = find_false_negatives(detector, training_pool.photos, recipe.by_hand)
    return replace(training_pool, false_negatives=missed), validation_pool


def _fit(recipe: FaceRecipe, training: PhotoPool, validation: PhotoPool, paths: RunPaths) -> Any:
    """The trained network, made of Keras's own layers, which exporters know."""
    keras.utils.set_random_seed(recipe.seed)
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    trained = fit(
        Training(
            recipe=recipe,
            steps_per_epoch=recipe.steps_per_epoch,
            build=lambda: _compile(recipe),
            batches=lambda epoch: CanvasBatches(training, recipe, epoch),
            validation=make_batch(validation, _VALIDATION_CANVASES, np.random.default_rng(0)),
            # The decay of the learning rate determines the last epochs: no early stopping.
            monitor=Monitor("val_loss", "validation loss {:.4f}", patience=recipe.epochs),
        ),
        paths.output,
        paths.resume,
        paths.start_model,
    )
    network = build(recipe.seed)
    network.set_weights(trained.get_weights())
    return network


def _compile(recipe: FaceRecipe) -> Any:
    network = with_torch_layers(build(recipe.seed))
    schedule = make_schedule(recipe, recipe.steps_per_epoch)
    network.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay),
        loss=DetectionLoss(CANVAS),
        jit_compile=jit_mode(),
    )
    return network
