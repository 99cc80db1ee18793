"""Does a network look for the traces of labels that were painted out of its training pictures?

Where pictures were recovered from copies with a mark at every label, the repaired pixels are a
little smoother than the rest and say where the label was. Whoever learns that looks good on such
pictures alone. So the same repairs are made beside the points of untouched pictures: a network that
looks for them moves its points towards them, one that sees faces does not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from train.data.augmentation import smooth_at

_AWAY_PX = 4.0  # far enough to tell from the point, near enough to be mistaken for it


def measure_pull(
    predict: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    images: NDArray[np.uint8],
    seed: int = 0,
) -> float:
    """How far decoy repairs draw the points.

    Args:
        predict: from pictures, uint8 `(N, S, S)`, to keypoints, `(N, K, 2)` px.
        images: uint8 `(N, S, S)`, in which nothing was repaired.
        seed: of the directions in which the decoys lie.

    Returns:
        The mean way towards the decoys over their distance: 0 is not at all, 1 all the way.
    """
    points = predict(images)
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi, size=points.shape[:2])
    direction = np.stack([np.cos(angle), np.sin(angle)], axis=-1)  # (N, K, 2)
    centres = np.rint(points + _AWAY_PX * direction).astype(int)
    pairs = zip(images, centres, strict=True)
    repaired = np.stack([smooth_at(image, places) for image, places in pairs])
    moved = ((predict(repaired) - points) * direction).sum(axis=-1)
    return float(moved.mean() / _AWAY_PX)
