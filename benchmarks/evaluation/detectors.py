"""Face detectors behind one call, ours and peers: from a grey picture to boxes and scores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.facekeypoints import FaceKeypoints
from edge.geometry.box_conventions import from_wider_face
from edge.geometry.face_frame import box_of_square
from edge.image import Grey
from edge.networks.contract import Precision
from edge.networks.precision import is_int8
from edge.resize import resize

Found = tuple[NDArray[np.float32], NDArray[np.float32]]  # boxes (M, 4) px, scores (M,)
Finder = Callable[[Grey], Found]

HAAR = {
    "Haar default": "haarcascade_frontalface_default.xml",
    "Haar alt2": "haarcascade_frontalface_alt2.xml",
}
_YUNET_SCORE = 0.6  # where YuNet's authors put it in their demonstration
_OVERLAP, _MOST = 0.3, 5000  # theirs too


def product(detect_size: int, detector: Path) -> Finder:
    """This package: the detector, and what the keypoint network makes of its boxes.

    With an int8 detector the keypoint network is int8 too.
    """
    precision: Precision = "int8" if is_int8(detector) else "fp32"
    detect = FaceKeypoints(detector=detector, precision=precision, detect_size=detect_size)

    def find(grey: Grey) -> Found:
        faces = detect(grey)
        boxes = np.array([face.box for face in faces], np.float32).reshape(-1, 4)
        return boxes, np.array([face.score for face in faces], np.float32)

    return find


def haar(name: str, detect_size: int) -> Finder:
    """One of OpenCV's cascades, its boxes in our convention."""
    import cv2

    cv2.setNumThreads(1)
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + HAAR[name])  # type: ignore[attr-defined]

    def find(grey: Grey) -> Found:
        small, factor = _shrink(grey, detect_size)
        squares, _, weights = cascade.detectMultiScale3(
            small, 1.1, 3, minSize=(20, 20), outputRejectLevels=True
        )
        boxes = [box_of_square(square * factor) for square in np.asarray(squares, np.float64)]
        return np.array(boxes, np.float32).reshape(-1, 4), np.array(weights, np.float32).ravel()

    return find


def yunet(path: Path, detect_size: int) -> Finder:
    """YuNet (Wu et al., 2023) through OpenCV, its boxes in our convention."""
    import cv2

    cv2.setNumThreads(1)
    detector = cv2.FaceDetectorYN.create(str(path), "", (0, 0), _YUNET_SCORE, _OVERLAP, _MOST)

    def find(grey: Grey) -> Found:
        small, factor = _shrink(grey, detect_size)
        detector.setInputSize(small.shape[::-1])
        _, rows = detector.detect(cv2.cvtColor(small, cv2.COLOR_GRAY2BGR))
        found = np.asarray([] if rows is None else rows, dtype=np.float32).reshape(-1, 15)
        return from_wider_face(found[:, :4] * np.float32(factor)), found[:, 14]

    return find


def _shrink(grey: Grey, detect_size: int) -> tuple[NDArray[np.uint8], float]:
    """The picture at the working size, enlarged at most twice as ours is; px of it per its px."""
    scale = min(detect_size / max(grey.shape), 2.0)
    shape = tuple(max(1, round(side * scale)) for side in grey.shape)
    return resize(grey, (shape[0], shape[1])), 1 / scale
