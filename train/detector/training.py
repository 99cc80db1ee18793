"""A run of the face detector: what `python -m train.run --recipe face` does."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from train.checkpoints import Progress, load, read_history, save, take_weights
from train.detector.batches import Batch, CanvasBatches, make_batch, make_stock
from train.detector.false_negatives import find_missed
from train.detector.false_positives import find_lures
from train.detector.losses import DetectionLoss
from train.detector.mosaic import CANVAS, Stock
from train.detector.network import build
from train.detector.photos import Photo
from train.errors import DataError
from train.keypoints.network import learning_rate
from train.recipes import FaceRecipe
from train.run_record import BEST, LAST, MODEL
from train.torch_layers import hasten

_HELD_OUT = 20  # one photo in so many is kept to see how training goes
_CANVASES = 96  # made of them, always the same
_SWITCH_S = 3e-4  # after which one Python thread makes way for another; a fifth of the time saved


def train_face(
    recipe: FaceRecipe,
    photos: list[Photo],
    negatives: list[NDArray[np.uint8]],
    folder: Path,
    resume: bool,
    lured: Path | None = None,
    start_from: Path | None = None,
) -> dict[str, Any]:
    """Train the detector and leave it in `folder`; returns what is to be recorded of it.

    Args:
        recipe: all settings.
        photos: photos with boxes.
        negatives: photos without faces, grey, uint8 `(H, W)` each.
        folder: where the run lives; it exists.
        resume: go on from the last whole epoch, if there is one.
        lured: a detector's file; what it takes for faces in the negatives, and the faces that it
            misses, are shown more often.
        start_from: a trained detector, a `.keras` file, whose weights a new run begins with.

    Raises:
        ModelError: that file is no detector.
        DataError: no set that the recipe draws photos from is there.
        RunError: the last checkpoint or `start_from` cannot be read.
    """
    start = time.monotonic()
    kept, held_out = divide(photos)
    lures = find_lures(lured, negatives) if lured and negatives else None
    stock, others = (make_stock(some, negatives, recipe, lures) for some in (kept, held_out))
    if not stock.photos or not others.photos:
        raise DataError(
            f"too few photos of {', '.join(name for name, _ in recipe.shares)}: "
            f"{len(stock.photos)} to learn from and {len(others.photos)} held out"
        )
    if lured:
        stock = replace(stock, missed=find_missed(lured, stock.photos, recipe.by_hand))
    keras.utils.set_random_seed(recipe.seed)
    # Canvases are made in a thread beside the network's, which would wait long for each other.
    cv2.setNumThreads(1)
    sys.setswitchinterval(_SWITCH_S)
    hastened = _fit(recipe, stock, _validation(others), folder, resume, start_from)
    network = build(recipe.seed)  # of Keras's layers alone, which whoever exports it knows
    network.set_weights(hastened.get_weights())
    save(network, folder / MODEL)
    return {
        "photos": {"training": len(kept), "validation": len(held_out)},
        "negatives": len(negatives),
        "lures": 0 if lures is None else len(lures.photos),
        "missed": 0 if stock.missed is None else len(stock.missed.photos),
        "parameters": network.count_params(),
        "seconds_last_start": round(time.monotonic() - start),
    }


def divide(photos: list[Photo]) -> tuple[list[Photo], list[Photo]]:
    """Photos to learn from, and one in twenty to see how training goes."""
    held_out = [photo for i, photo in enumerate(photos) if i % _HELD_OUT == 0]
    return [photo for i, photo in enumerate(photos) if i % _HELD_OUT], held_out


def _validation(stock: Stock) -> Batch:
    return make_batch(stock, _CANVASES, np.random.default_rng(0))


def _fit(
    recipe: FaceRecipe,
    stock: Stock,
    validation: Batch,
    folder: Path,
    resume: bool,
    start_from: Path | None,
) -> Any:
    network, epoch = _start(recipe, folder, resume)
    if start_from and epoch == 0:
        take_weights(network, start_from)
    if epoch < recipe.epochs:
        network.fit(
            CanvasBatches(stock, recipe, epoch),
            initial_epoch=epoch,
            epochs=recipe.epochs,
            validation_data=validation,
            validation_batch_size=recipe.batch_size,
            shuffle=False,
            verbose=1 if sys.stdout.isatty() else 0,
            callbacks=[
                Progress(
                    folder,
                    recipe.epochs,
                    read_history(folder, epoch),
                    "val_loss",
                    "validation loss {:.4f}",
                )
            ],
        )
    return load(folder / BEST)


def _start(recipe: FaceRecipe, folder: Path, resume: bool) -> tuple[Any, int]:
    schedule = learning_rate(recipe, recipe.steps_per_epoch)
    if resume and (folder / LAST).exists():
        network = load(folder / LAST)
        network.optimizer.learning_rate = schedule
        return network, int(network.optimizer.iterations) // recipe.steps_per_epoch
    network = hasten(build(recipe.seed))
    jit: bool | str = False if keras.backend.backend() == "tensorflow" else "auto"
    network.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay),
        loss=DetectionLoss(CANVAS),
        jit_compile=jit,
    )
    return network, 0
