"""Leakage probe: does a network locate the traces of labels that were retouched out of images?

Where images were recovered from copies with a mark drawn at every label, the retouched pixels are
slightly smoother than the rest and reveal the label. A network that has learnt this is accurate on
such images only. The probe retouches places beside the keypoints of untouched images: the
predictions of such a network move towards them, those of others do not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from train.data.augmentation import smooth_at

_DISTANCE_PX = 4.0  # distinguishable from the keypoint, close enough to attract it


def measure_pull(
    predict: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    images: NDArray[np.uint8],
    seed: int = 0,
) -> float:
    """How far retouched places attract the predictions of a network.

    Args:
        predict: from images, uint8 `(N, S, S)`, to keypoints, `(N, K, 2)` px.
        images: uint8 `(N, S, S)`, not retouched.
        seed: of the random directions of the retouched places.

    Returns:
        The mean shift towards the retouched places divided by their distance: 0 if they have no
        effect, 1 if the predictions move all the way.
    """
    points = predict(images)
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi, size=points.shape[:2])
    direction = np.stack([np.cos(angle), np.sin(angle)], axis=-1)  # (N, K, 2)
    centres = np.rint(points + _DISTANCE_PX * direction).astype(int)
    pairs = zip(images, centres, strict=True)
    retouched = np.stack([smooth_at(image, places) for image, places in pairs])
    shift = ((predict(retouched) - points) * direction).sum(axis=-1)
    return float(shift.mean() / _DISTANCE_PX)
