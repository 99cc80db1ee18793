"""Reproducible batches of augmented faces.

Legend: N faces, B faces of a batch.
"""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from train.data.augmentation import augment
from train.data.faces import Faces
from train.recipes import Recipe


class Batches(keras.utils.PyDataset):
    """The batches of an epoch, each face augmented at random.

    Order and augmentation are determined by seed, epoch and index of the batch alone, so that a
    resumed run receives the batches of an uninterrupted one.
    """

    def __init__(self, faces: Faces, recipe: Recipe, epoch: int = 0) -> None:
        """Start at `epoch`, counted from 0; `faces` are the training faces."""
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=4)
        self._faces = faces
        self._recipe = recipe
        self._epoch = epoch
        self._probabilities = _probabilities(faces, recipe.shares)

    def __len__(self) -> int:
        """Batches per epoch; the last one may be smaller."""
        return -(-len(self._faces) // self._recipe.batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Batch `index`: images uint8 `(B, 96, 96, 1)` and targets float32 `(B, 30)`, px."""
        recipe = self._recipe
        start = index * recipe.batch_size
        rows = self.order(self._epoch)[start : start + recipe.batch_size]
        rng = np.random.default_rng((recipe.seed, self._epoch, index + 1))
        pairs = [
            augment(self._faces.images[row], self._faces.keypoints[row], recipe.augmentation, rng)
            for row in rows
        ]
        images = np.stack([image for image, _ in pairs])[..., None]
        return images, np.stack([keypoints.reshape(-1) for _, keypoints in pairs])

    def on_epoch_end(self) -> None:
        """Advance to the next epoch."""
        self._epoch += 1

    def order(self, epoch: int) -> NDArray[np.int64]:
        """The rows of an epoch in the order in which they are drawn, `(N,)`."""
        rng = np.random.default_rng((self._recipe.seed, epoch))
        if self._probabilities is None:
            return rng.permutation(len(self._faces))
        return rng.choice(len(self._faces), size=len(self._faces), p=self._probabilities)


def _probabilities(
    faces: Faces, shares: tuple[tuple[str, float], ...]
) -> NDArray[np.float64] | None:
    """The probability of each row in a draw, `(N,)`; None if every row is drawn once."""
    names, set_of_row, counts = np.unique(faces.sources, return_inverse=True, return_counts=True)
    if not shares or len(names) == 1:
        return None
    share_of = dict(shares)
    weights = np.array([share_of.get(str(name), 1.0) for name in names]) / counts
    probabilities = weights[set_of_row]
    return np.asarray(probabilities / probabilities.sum())
