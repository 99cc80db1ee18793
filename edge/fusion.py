"""Fusion of the detector's and the keypoint network's outputs into one score and one box.

Fused, more faces are found at 90 % precision than with either network alone, on training photos and
on others alike (MODEL_CARD.md).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# The detector sees the surroundings of a face, the keypoint network only the face, but in detail.
DETECTOR_SCORE = 2 / 3  # exponent of the detector's score in the weighted geometric mean
KEYPOINTS_BOX = 0.25  # weight of the keypoints' box in the weighted mean


def fused_score(detector: float | None, network: float) -> float:
    """The weighted geometric mean of both scores, 0–1; `network` where the other is None."""
    if detector is None:
        return network
    return float(detector**DETECTOR_SCORE * network ** (1 - DETECTOR_SCORE))


def min_detector_score(score: float) -> float:
    """The lowest detector score that can still reach `score` when the network's is 1."""
    return float(score ** (1 / DETECTOR_SCORE))


def fused_box(detector: NDArray[np.float32], keypoints: NDArray[np.float32]) -> NDArray[np.float32]:
    """The weighted mean of the detector's and the keypoints' box, float32 `(4,)` px.

    Their errors are nearly independent.
    """
    return detector + np.float32(KEYPOINTS_BOX) * (keypoints - detector)
