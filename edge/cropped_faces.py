"""Faces that are cut out already, as Kaggle's images are, re-cropped where they fit badly.

A crop that shows several faces, or one among much else, gets a low face score; the detector then
searches it for the largest.

Legend: N crops, S side of a crop.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.errors import ImageError
from edge.fusion import fused_score
from edge.geometry.affine import Matrix, to_points
from edge.networks.detections import Detector
from edge.networks.keypoint_model import KeypointModel, Prediction
from edge.refinement import CERTAIN_SCORE, FacePass, refine

_DETECT_SIZE = 320  # px; the detector enlarges crops to twice their size at most
_MIN_DETECTOR_SCORE = 0.5


def predict_crops(
    model: KeypointModel,
    crops: NDArray[np.uint8],
    points68: bool = False,
    detector: Detector | None = None,
) -> Prediction:
    """Predict keypoints of faces that are cut out already, re-cropped where they fit badly.

    Args:
        model: the open network.
        crops: uint8 `(N, S, S)`, grey, of the network's own size.
        points68: predict the 68 points too.
        detector: searches the crops whose face score is low for the largest face in them.

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
    faces = _refine(model, list(crops), [identity] * len(crops), points68)
    if detector is not None and detector.finds_faces:
        _search(model, crops, faces, points68, detector)
    prediction = Prediction(
        np.array([face.keypoints for face in faces]),
        np.array([face.error for face in faces]),
        np.array([face.score for face in faces], np.float32),
    )
    prediction.points68 = _stack(
        [None if face.points68 is None else to_points(face.points68) for face in faces]
    )
    prediction.error90 = _stack([face.error90 for face in faces])
    return prediction


def _refine(
    model: KeypointModel, crops: list[NDArray[np.uint8]], matrices: list[Matrix], points68: bool
) -> list[FacePass]:
    """Faces that are known to be there, each averaged."""
    return refine(model, crops, matrices, min_score=0.0, points68=points68, sure_error=0.0)


def _search(
    model: KeypointModel,
    crops: NDArray[np.uint8],
    faces: list[FacePass],
    points68: bool,
    detector: Detector,
) -> None:
    """Replace faces of low scores by the largest that the detector finds in their crops."""
    found = {
        i: detector(crops[i], _DETECT_SIZE).above(_MIN_DETECTOR_SCORE).largest_first(1)
        for i, face in enumerate(faces)
        if face.score < CERTAIN_SCORE
    }
    rows = [i for i in found for _ in found[i].boxes]  # one or none each
    matrices = [matrix for i in rows for matrix in found[i].crop_matrices(model.size)]
    again = _refine(model, [crops[i] for i in rows], matrices, points68)
    for i, face in zip(rows, again, strict=True):
        # Faces in a crop are small and blurred: what the detector makes of them counts too.
        if fused_score(found[i].score_list()[0], face.score) > faces[i].score:
            faces[i] = face


def _stack(arrays: list[NDArray[np.float32] | None]) -> NDArray[np.float32] | None:
    """The arrays as one; None where the model did not predict them."""
    present = [array for array in arrays if array is not None]
    return np.stack(present) if present else None
