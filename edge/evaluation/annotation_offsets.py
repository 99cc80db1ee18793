"""Constant offsets between two annotation schemes, in each face's own frame.

One scheme puts the brow's end on the hair, another below it. Such a difference scales with the
face, so it is given in parts of the distance between the outer eye corners: x from the right
corner to the left, y at right angles, down the face.

Legend: N faces, K keypoints (15).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.keypoints import KEYPOINT_NAMES

_LEFT, _RIGHT = (KEYPOINT_NAMES.index(f"{side}_eye_outer_corner") for side in ("left", "right"))


def add_offsets(
    keypoints: NDArray[np.floating], offsets: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Move every keypoint by a constant of the face's own frame.

    Args:
        keypoints: `(N, 15, 2)` px; a face without both outer eye corners comes back unlabelled,
            for its frame is unknown.
        offsets: `(15, 2)`, in parts of the distance between the outer eye corners.

    Returns:
        float32 `(N, 15, 2)` px.
    """
    return np.asarray(keypoints + offsets @ _axes(keypoints), dtype=np.float32)


def measure_offsets(
    keypoints: NDArray[np.floating], others: NDArray[np.floating], robust: bool = False
) -> NDArray[np.float64]:
    """The offsets that take `keypoints` to `others`, in the frame of `keypoints`.

    Args:
        keypoints: `(N, 15, 2)` px.
        others: `(N, 15, 2)` px, NaN where missing.
        robust: take medians over the faces rather than means.

    Returns:
        float64 `(15, 2)` for `add_offsets`, 0 where no face has both points.
    """
    axes = _axes(keypoints)
    unit = (axes[:, :1] ** 2).sum(axis=2, keepdims=True)  # (N, 1, 1), px²
    offsets_per_face = (others - keypoints) @ axes.swapaxes(1, 2) / unit
    known = ~np.isnan(offsets_per_face).all(axis=(0, 2))
    offsets = np.zeros((len(KEYPOINT_NAMES), 2))
    average = np.nanmedian if robust else np.nanmean
    offsets[known] = average(offsets_per_face[:, known], axis=0)
    return offsets


def _axes(keypoints: NDArray[np.floating]) -> NDArray[np.float64]:
    """Each face's frame, `(N, 2, 2)` px: its rows are the x and the y axis, one unit long."""
    along = np.asarray(keypoints[:, _LEFT] - keypoints[:, _RIGHT], dtype=np.float64)
    down = np.stack([-along[:, 1], along[:, 0]], axis=1)
    return np.stack([along, down], axis=1)
