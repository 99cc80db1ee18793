"""Checks of an exported detector: against the Keras model, and of int8 against fp32."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.geometry.boxes import intersection_over_union
from edge.image import load_image, to_grey
from edge.networks.detections import Detections
from edge.networks.face_detector import FaceDetector, working_shape
from edge.resize import resize
from export.calibration import DETECT_SIZES
from export.detector_graph import decode
from export.errors import AccuracyError, ParityError

SAMPLE = Path(__file__).parents[1] / "edge" / "data" / "astronaut.jpg"
MAX_DIFFERENCE_PX = 0.05  # between boxes of Keras and ONNX fp32: float32 rounding
MAX_SCORE_DIFFERENCE = 0.002
MAX_ROLL_DIFFERENCE_DEG = 0.1
_CONFIDENT = 0.5  # score from which a box of fp32 must be found by int8
_MIN_IOU = 0.7  # intersection over union from which two boxes are the same face
MIN_RECALL = 0.97  # share of fp32's confident boxes that int8 must find


def check_parity(network: Any, path: Path) -> str:
    """Compare boxes, scores and rolls of Keras and ONNX on the sample image.

    Args:
        network: the Keras model.
        path: the fp32 `.onnx` file.

    Returns:
        The largest differences, as text.

    Raises:
        ParityError: the file finds no face; or a box differs by more than `MAX_DIFFERENCE_PX`, a
            score by more than `MAX_SCORE_DIFFERENCE` or a roll by `MAX_ROLL_DIFFERENCE_DEG`.
    """
    shape = working_shape(320, 320)
    image = resize(to_grey(load_image(SAMPLE)), shape)
    detections = FaceDetector(path).search_once(image, shape[0])
    if not len(detections.boxes):
        raise ParityError(f"{path}: finds no face in the sample image")
    difference_px, score_difference, roll_deg = _max_differences(network, image, detections)
    if (
        difference_px > MAX_DIFFERENCE_PX
        or score_difference > MAX_SCORE_DIFFERENCE
        or roll_deg > MAX_ROLL_DIFFERENCE_DEG
    ):
        raise ParityError(
            f"{path}: differs from the Keras model by {difference_px:.3f} px, "
            f"{score_difference:.4f} in score and {roll_deg:.2f}° of roll"
        )
    return (
        f"Keras and ONNX differ by at most {difference_px:.5f} px, {score_difference:.6f} in "
        f"score and {roll_deg:.4f}° of roll."
    )


def _max_differences(
    network: Any, image: NDArray[np.uint8], detections: Detections
) -> tuple[float, float, float]:
    """Largest difference of a box, px, score and roll, degrees, from the nearest of Keras."""
    import keras

    outputs = keras.ops.convert_to_numpy(network(image[None, ..., None], training=False))[0]
    cells = decode(outputs, (image.shape[0], image.shape[1]))
    distances = np.abs(cells.boxes[None] - detections.boxes[:, None]).max(axis=2)  # (M, C)
    nearest = distances.argmin(axis=1)
    scores = np.abs(cells.scores[nearest] - np.asarray(detections.scores))
    roll_deg = 0.0
    if detections.rolls is not None:
        rolls = cells.rolls[nearest] - detections.rolls
        roll_deg = float(np.abs((rolls + 180) % 360 - 180).max())
    return float(distances.min(axis=1).max()), float(scores.max()), roll_deg


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
