"""Faces that are cut out already, as Kaggle's images are, re-cropped where they fit badly.

Legend: N crops, S side of a crop.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.errors import ImageError
from edge.networks.keypoint_model import KeypointModel, Prediction
from edge.refinement import refine


def predict_crops(
    model: KeypointModel, crops: NDArray[np.uint8], points68: bool = False
) -> Prediction:
    """Predict keypoints of faces that are cut out already, re-cropped where they fit badly.

    Args:
        model: the open network.
        crops: uint8 `(N, S, S)`, grey, of the network's own size.
        points68: predict the 68 points too.

    Returns:
        Points and errors in px of the given crops.

    Raises:
        ImageError: the shape or dtype is another.
    """
    size = model.size
    crops = np.asarray(crops)
    if crops.dtype != np.uint8 or crops.ndim != 3 or crops.shape[1:] != (size, size):
        raise ImageError(
            f"cannot use these crops: expected uint8 of shape (N, {size}, {size}), "
            f"received {crops.dtype} of shape {crops.shape}"
        )
    if not len(crops):
        return model(crops, points68)
    identity = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    faces = refine(
        model,
        list(crops),
        [identity] * len(crops),
        min_score=0.0,
        points68=points68,
        sure_error=0.0,
    )
    prediction = Prediction(
        np.array([face.keypoints for face in faces]),
        np.array([face.error for face in faces]),
        np.array([face.score for face in faces], np.float32),
    )
    prediction.points68 = _stack([face.points68 for face in faces])
    prediction.error90 = _stack([face.error90 for face in faces])
    return prediction


def _stack(arrays: list[NDArray[np.float32] | None]) -> NDArray[np.float32] | None:
    """The arrays as one; None where the model did not predict them."""
    present = [array for array in arrays if array is not None]
    return np.stack(present) if present else None
