"""Batches of canvases that can be made again exactly."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from train.detector.false_positives import Lures
from train.detector.mosaic import CANVAS, Stock, make_canvas
from train.detector.photos import Photo
from train.detector.targets import make_targets
from train.recipes import FaceRecipe

Batch = tuple[NDArray[np.uint8], NDArray[np.float32]]


class CanvasBatches(keras.utils.PyDataset):
    """An epoch's batches; each canvas follows from the seed, the epoch and the batch alone."""

    def __init__(self, stock: Stock, recipe: FaceRecipe, epoch: int = 0) -> None:
        """Start at `epoch`, counted from 0."""
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=8)
        self._stock, self._recipe, self._epoch = stock, recipe, epoch

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self._recipe.steps_per_epoch

    def __getitem__(self, index: int) -> Batch:
        """Batch `index`: uint8 `(B, 320, 320, 1)` and targets `(B, C, 5)`."""
        rng = np.random.default_rng((self._recipe.seed, self._epoch, index + 1))
        return make_batch(self._stock, self._recipe.batch_size, rng)

    def on_epoch_end(self) -> None:
        """Move on to the next epoch's canvases."""
        self._epoch += 1


def make_batch(stock: Stock, count: int, rng: np.random.Generator) -> Batch:
    """`count` canvases, uint8 `(B, 320, 320, 1)`, and their targets, float32 `(B, C, 5)`."""
    canvases = [make_canvas(stock, rng) for _ in range(count)]
    images = np.stack([canvas.pixels for canvas in canvases])[..., None]
    targets = [make_targets(canvas.boxes, canvas.unsure, CANVAS) for canvas in canvases]
    return images, np.stack(targets)


def make_stock(
    photos: list[Photo],
    negatives: list[NDArray[np.uint8]],
    recipe: FaceRecipe,
    lures: Lures | None = None,
) -> Stock:
    """Divide photos into whole ones, drawn by the recipe's shares, and cut-out faces."""
    shares = dict(recipe.shares)
    whole = [photo for photo in photos if photo.source in shares]
    counts = {name: sum(photo.source == name for photo in whole) for name in shares}
    weights = np.array([shares[photo.source] / counts[photo.source] for photo in whole])
    cut = [photo for photo in photos if photo.source not in shares]
    return Stock(whole, np.cumsum(weights) / weights.sum(), cut, negatives, lures)
