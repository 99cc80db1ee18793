"""Batches of changed faces that can be made again exactly."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from train.augment import Augmentation, augment
from train.data import Faces


class Batches(keras.utils.PyDataset):
    """One epoch's batches, each face changed at random.

    The order and every change follow from the seed, the epoch and the batch alone, so that a
    resumed run sees what an uninterrupted one would have seen.
    """

    def __init__(
        self, faces: Faces, settings: Augmentation, batch_size: int, seed: int, epoch: int = 0
    ) -> None:
        """Start at `epoch`, counted from 0; `faces` are the training rows."""
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=4)
        self._faces, self._settings = faces, settings
        self._batch_size, self._seed, self._epoch = batch_size, seed, epoch

    def __len__(self) -> int:
        """Batches in an epoch, the last one smaller."""
        return -(-len(self._faces) // self._batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Batch `index`: pictures uint8 `(B, 96, 96, 1)` and targets float32 `(B, 30)`, px."""
        order = np.random.default_rng((self._seed, self._epoch)).permutation(len(self._faces))
        rows = order[index * self._batch_size : (index + 1) * self._batch_size]
        rng = np.random.default_rng((self._seed, self._epoch, index + 1))
        pairs = [
            augment(self._faces.images[row], self._faces.keypoints[row], self._settings, rng)
            for row in rows
        ]
        images = np.stack([image for image, _ in pairs])[..., None]
        return images, np.stack([keypoints.reshape(-1) for _, keypoints in pairs])

    def on_epoch_end(self) -> None:
        """Move on to the next epoch's order and changes."""
        self._epoch += 1
