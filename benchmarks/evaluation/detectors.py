"""Face detectors behind one interface, ours and peers': from a grey image to `Detections`.

All boxes are brought to this package's convention (`edge.geometry.face_frame`), and each detector
searches at the same working size.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.extras import require
from edge.facekeypoints import FaceKeypoints
from edge.geometry.box_conventions import from_wider_face
from edge.geometry.face_frame import box_of_square
from edge.image import Grey
from edge.networks.contract import Precision
from edge.networks.detections import Detections
from edge.networks.precision import is_int8
from edge.resize import resize

Detect = Callable[[Grey], Detections]

CASCADES = {
    "Haar default": "haarcascade_frontalface_default.xml",
    "Haar alt2": "haarcascade_frontalface_alt2.xml",
}
_SCALE_FACTOR = 1.1
_MIN_NEIGHBOURS = 3
_MIN_SIDE = 20  # px
# YuNet's settings are those of its authors' demonstration.
_YUNET_MIN_SCORE = 0.6
_YUNET_NMS_OVERLAP = 0.3
_YUNET_MAX_CANDIDATES = 5000
_MAX_UPSCALE = 2.0  # as this package's detector


def open_edge(detect_size: int, detector: Path) -> Detect:
    """This package: its detector, and the faces that the keypoint network confirms.

    Args:
        detect_size: px of the image's longer side.
        detector: the `.onnx` file; if it is int8, the keypoint network is int8 too.
    """
    precision: Precision = "int8" if is_int8(detector) else "fp32"
    keypoints = FaceKeypoints(detector=detector, precision=precision, detect_size=detect_size)

    def detect(grey: Grey) -> Detections:
        faces = keypoints(grey)
        boxes = np.array([face.box for face in faces], np.float32).reshape(-1, 4)
        return Detections(boxes, np.array([face.score for face in faces], np.float32))

    return detect


def open_haar(name: str, detect_size: int) -> Detect:
    """One of OpenCV's cascades; scores are the weights of its last stage, above 0.

    Args:
        name: a key of `CASCADES`.
        detect_size: px of the image's longer side.
    """
    cv2 = _opencv()
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + CASCADES[name])

    def detect(grey: Grey) -> Detections:
        small, factor = _resize_to(grey, detect_size)
        squares, _, weights = cascade.detectMultiScale3(
            small, _SCALE_FACTOR, _MIN_NEIGHBOURS,
            minSize=(_MIN_SIDE, _MIN_SIDE), outputRejectLevels=True,
        )  # fmt: skip
        boxes = [box_of_square(square * factor) for square in np.asarray(squares, np.float64)]
        return Detections(
            np.array(boxes, np.float32).reshape(-1, 4), np.array(weights, np.float32).ravel()
        )

    return detect


def open_yunet(path: Path, detect_size: int) -> Detect:
    """YuNet (Wu et al., 2023), run by OpenCV.

    Args:
        path: its `.onnx` file.
        detect_size: px of the image's longer side.
    """
    cv2 = _opencv()
    yunet = cv2.FaceDetectorYN.create(
        str(path), "", (0, 0), _YUNET_MIN_SCORE, _YUNET_NMS_OVERLAP, _YUNET_MAX_CANDIDATES
    )

    def detect(grey: Grey) -> Detections:
        small, factor = _resize_to(grey, detect_size)
        yunet.setInputSize(small.shape[::-1])
        _, rows = yunet.detect(cv2.cvtColor(small, cv2.COLOR_GRAY2BGR))
        # Columns: box, five keypoints, score.
        rows = np.asarray([] if rows is None else rows, dtype=np.float32).reshape(-1, 15)
        return Detections(from_wider_face(rows[:, :4] * np.float32(factor)), rows[:, 14])

    return detect


def _opencv() -> Any:
    cv2 = require("cv2", "bench", "measuring OpenCV's detectors")
    cv2.setNumThreads(1)
    return cv2


def _resize_to(grey: Grey, detect_size: int) -> tuple[NDArray[np.uint8], float]:
    """The image at the working size, and the factor from its pixels to those of the original."""
    scale = min(detect_size / max(grey.shape), _MAX_UPSCALE)
    height, width = (max(1, round(side * scale)) for side in grey.shape)
    return resize(grey, (height, width)), 1 / scale
