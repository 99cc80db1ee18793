"""Batches of changed faces that can be made again exactly."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from train.data.augmentation import augment
from train.data.faces import Faces
from train.recipes import Recipe


class Batches(keras.utils.PyDataset):
    """One epoch's batches, each face changed at random.

    The order and every change follow from the seed, the epoch and the batch alone, so that a
    resumed run sees what an uninterrupted one would have seen.
    """

    def __init__(self, faces: Faces, recipe: Recipe, epoch: int = 0) -> None:
        """Start at `epoch`, counted from 0; `faces` are the training rows."""
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=4)
        self._faces, self._recipe, self._epoch = faces, recipe, epoch
        self._chances = _chances(faces, recipe.shares)

    def __len__(self) -> int:
        """Batches in an epoch, the last one smaller."""
        return -(-len(self._faces) // self._recipe.batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Batch `index`: pictures uint8 `(B, 96, 96, 1)` and targets float32 `(B, 30)`, px."""
        recipe = self._recipe
        rows = self.order(self._epoch)[index * recipe.batch_size : (index + 1) * recipe.batch_size]
        rng = np.random.default_rng((recipe.seed, self._epoch, index + 1))
        pairs = [
            augment(self._faces.images[row], self._faces.keypoints[row], recipe.augmentation, rng)
            for row in rows
        ]
        images = np.stack([image for image, _ in pairs])[..., None]
        return images, np.stack([keypoints.reshape(-1) for _, keypoints in pairs])

    def on_epoch_end(self) -> None:
        """Move on to the next epoch's order and changes."""
        self._epoch += 1

    def order(self, epoch: int) -> NDArray[np.int64]:
        """The rows of an epoch in the order in which they come, `(N,)`."""
        rng = np.random.default_rng((self._recipe.seed, epoch))
        if self._chances is None:
            return rng.permutation(len(self._faces))
        return rng.choice(len(self._faces), size=len(self._faces), p=self._chances)


def _chances(faces: Faces, shares: tuple[tuple[str, float], ...]) -> NDArray[np.float64] | None:
    """How likely each row is drawn, `(N,)`; None where every row is drawn once."""
    names, which, counts = np.unique(faces.sources, return_inverse=True, return_counts=True)
    if not shares or len(names) == 1:
        return None
    given = dict(shares)
    weights = np.array([given.get(str(name), 1.0) for name in names]) / counts
    chances = weights[which]
    return np.asarray(chances / chances.sum())
