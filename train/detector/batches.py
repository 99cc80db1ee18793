"""Reproducible batches of canvases and their targets.

Legend: B canvases of a batch, C cells (`train.detector.targets`).
"""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from train.detector.canvas import CANVAS
from train.detector.mosaic import make_canvas
from train.detector.photo_pool import PhotoPool
from train.detector.photos import Photo
from train.detector.targets import make_targets
from train.recipes import FaceRecipe

Batch = tuple[NDArray[np.uint8], NDArray[np.float32]]


class CanvasBatches(keras.utils.PyDataset):
    """The batches of an epoch; each is determined by seed, epoch and its index alone."""

    def __init__(self, pool: PhotoPool, recipe: FaceRecipe, epoch: int = 0) -> None:
        """Start at `epoch`, counted from 0."""
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=8)
        self._pool = pool
        self._recipe = recipe
        self._epoch = epoch

    def __len__(self) -> int:
        """Batches per epoch."""
        return self._recipe.steps_per_epoch

    def __getitem__(self, index: int) -> Batch:
        """Batch `index`: uint8 `(B, 320, 320, 1)` and targets float32 `(B, C, 5)`."""
        rng = np.random.default_rng((self._recipe.seed, self._epoch, index + 1))
        return make_batch(self._pool, self._recipe.batch_size, rng)

    def on_epoch_end(self) -> None:
        """Advance to the next epoch."""
        self._epoch += 1


def make_batch(pool: PhotoPool, count: int, rng: np.random.Generator) -> Batch:
    """`count` canvases, uint8 `(B, 320, 320, 1)`, and their targets, float32 `(B, C, 5)`."""
    canvases = [make_canvas(pool, rng) for _ in range(count)]
    images = np.stack([canvas.pixels for canvas in canvases])[..., None]
    targets = [make_targets(canvas.boxes, canvas.ignored, CANVAS) for canvas in canvases]
    return images, np.stack(targets)


def make_pool(
    photos: list[Photo], negatives: list[NDArray[np.uint8]], recipe: FaceRecipe
) -> PhotoPool:
    """Divide photos into complete ones, drawn by the recipe's shares, and cropped faces."""
    shares = dict(recipe.shares)
    complete = [photo for photo in photos if photo.source in shares]
    counts = {name: sum(photo.source == name for photo in complete) for name in shares}
    weights = np.array([shares[photo.source] / counts[photo.source] for photo in complete])
    cut_faces = [photo for photo in photos if photo.source not in shares]
    return PhotoPool(complete, np.cumsum(weights) / weights.sum(), cut_faces, negatives)
