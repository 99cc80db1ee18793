"""Checks of an exported detector: against the Keras model, and of int8 against fp32."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.geometry.boxes import intersection_over_union
from edge.image import load_image, to_grey
from edge.networks.face_detector import FaceDetector, working_shape
from edge.resize import resize
from export.calibration import DETECT_SIZES
from export.detector_graph import decode
from export.errors import AccuracyError, ParityError

SAMPLE = Path(__file__).parents[1] / "edge" / "data" / "astronaut.jpg"
MAX_DIFFERENCE_PX = 0.05  # between boxes of Keras and ONNX fp32: float32 rounding
MAX_SCORE_DIFFERENCE = 0.002
_CONFIDENT = 0.5  # score from which a box of fp32 must be found by int8
_MIN_IOU = 0.7  # intersection over union from which two boxes are the same face
MIN_RECALL = 0.97  # share of fp32's confident boxes that int8 must find


def check_parity(network: Any, path: Path) -> str:
    """Compare the boxes and scores of Keras and ONNX on the sample image.

    Args:
        network: the Keras model.
        path: the fp32 `.onnx` file.

    Returns:
        The largest differences, as text.

    Raises:
        ParityError: a box differs by more than `MAX_DIFFERENCE_PX`, or a score by more than
            `MAX_SCORE_DIFFERENCE`.
    """
    shape = working_shape(320, 320)
    image = resize(to_grey(load_image(SAMPLE)), shape)
    detections = FaceDetector(path)(image, shape[0])
    boxes, scores = detections.boxes, np.asarray(detections.scores)
    if not len(boxes):
        raise ParityError(f"{path}: finds no face in the sample image")
    difference_px, score_difference = _max_differences(network, image, boxes, scores)
    if difference_px > MAX_DIFFERENCE_PX or score_difference > MAX_SCORE_DIFFERENCE:
        raise ParityError(
            f"{path}: differs from the Keras model by {difference_px:.3f} px and "
            f"{score_difference:.4f} in score"
        )
    return (
        f"Keras and ONNX differ by at most {difference_px:.5f} px and {score_difference:.6f} in "
        "score."
    )


def _max_differences(
    network: Any, image: NDArray[np.uint8], boxes: NDArray[np.float32], scores: NDArray[np.float32]
) -> tuple[float, float]:
    """Largest difference of each box, px, and score from the nearest that Keras gives."""
    import keras

    outputs = keras.ops.convert_to_numpy(network(image[None, ..., None], training=False))[0]
    keras_boxes, keras_scores = decode(outputs, (image.shape[0], image.shape[1]))
    distances = np.abs(keras_boxes[None] - boxes[:, None]).max(axis=2)  # (M, C)
    nearest = distances.argmin(axis=1)
    return float(distances.min(axis=1).max()), float(np.abs(keras_scores[nearest] - scores).max())


def check_int8(fp32_path: Path, int8_path: Path, images: list[NDArray[np.uint8]]) -> str:
    """Compare the detections of two files on photos.

    Args:
        fp32_path: the fp32 `.onnx` file.
        int8_path: the quantised file.
        images: grey, uint8 `(H, W)` each.

    Returns:
        How many faces were found, as text.

    Raises:
        AccuracyError: int8 finds less than `MIN_RECALL` of the faces that fp32 is confident of.
    """
    fp32, int8 = FaceDetector(fp32_path), FaceDetector(int8_path)
    is_found = [flag for image in images for flag in _are_found(fp32, int8, image).tolist()]
    expected = len(is_found)
    found = sum(is_found)
    summary = f"int8 finds {found} of the {expected} faces that fp32 finds on {len(images)} photos"
    if found < MIN_RECALL * expected:
        raise AccuracyError(f"{summary}; expected at least {MIN_RECALL:.0%}; export with --no-int8")
    return f"{summary}."


def _are_found(
    fp32: FaceDetector, int8: FaceDetector, image: NDArray[np.uint8]
) -> NDArray[np.bool_]:
    """For each confident detection of fp32 whether int8 has one at the same place."""
    boxes = fp32(image, DETECT_SIZES[1]).above(_CONFIDENT).boxes
    overlaps = intersection_over_union(boxes, int8(image, DETECT_SIZES[1]).boxes)
    return np.asarray(overlaps.max(axis=1, initial=0.0) >= _MIN_IOU)
