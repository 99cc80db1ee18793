"""Finding faces with OpenCV's frontal-face cascade, extra `video`; kept for comparison."""

from __future__ import annotations

import functools
import importlib
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import MissingExtra
from edge.geometry.face_frame import box_of
from edge.image import Grey
from edge.resize import resize

# On 400 lfpw photos the default cascade found 397 faces and the second alternative one 385, in the
# same time; of its more frequent false alarms, the keypoint network's score leaves few.
_CASCADE = "haarcascade_frontalface_default.xml"
_STEP = 1.1  # ratio of successive window sizes
_NEIGHBOURS = 3  # overlapping hits that make a face
_MIN_SIDE = 20  # px of the shrunk picture: the cascade's own window

# A cascade keeps state while it searches, and OpenCV's thread setting is the whole process's.
_LOCK = threading.Lock()


def find_boxes(grey: Grey, detect_size: int = 320, threads: int = 1) -> NDArray[np.float32]:
    """Find faces with OpenCV's frontal-face cascade.

    Args:
        grey: uint8 `(H, W)`.
        detect_size: the picture is searched at this length of its longer side, px; a smaller
            picture as it is.
        threads: threads that the search may use.

    Returns:
        float32 `(M, 4)`: x, y, width, height, px of `grey`, as `edge.networks.face_detector`'s.

    Raises:
        MissingExtra: OpenCV is not installed, or has no cascades.
    """
    cascade = open_cascade()
    height, width = grey.shape
    scale = min(detect_size / max(height, width), 1.0)
    small = resize(grey, (max(1, round(height * scale)), max(1, round(width * scale))))
    with _LOCK:
        found = _search(cascade, small, threads)
    boxes = np.asarray(found, dtype=np.float32).reshape(-1, 4)
    factors = np.array(grey.shape[::-1], np.float32) / np.array(small.shape[::-1], np.float32)
    boxes *= np.tile(factors, 2)
    # Measured on 793 lfpw faces, the cascade's squares frame a face just as Kaggle's pictures do:
    # side 0.99 to 1.01, centres within 0.5 %.
    return np.array([box_of(square) for square in boxes], np.float32).reshape(-1, 4)


@functools.cache
def open_cascade() -> Any:
    """Open the cascade, once.

    Raises:
        MissingExtra: OpenCV is not installed, or has no cascades (OpenCV 5 removed them).
    """
    try:
        cv2: Any = importlib.import_module("cv2")
        cascade = cv2.CascadeClassifier(cv2.data.haarcascades + _CASCADE)
    except (ImportError, AttributeError) as error:
        raise MissingExtra(_missing(str(error))) from error
    if cascade.empty():
        raise MissingExtra(_missing(f"{_CASCADE} cannot be read"))
    return cascade


def _missing(reason: str) -> str:
    return (
        f"the face detector needs OpenCV 4 with its cascades ({reason}); install the extra "
        "edge-keypoints[video], or choose detector none to take the whole picture as one face"
    )


def _search(cascade: Any, grey: Grey, threads: int) -> Any:
    import cv2

    threads_before = cv2.getNumThreads()
    cv2.setNumThreads(threads)
    try:
        return cascade.detectMultiScale(grey, _STEP, _NEIGHBOURS, minSize=(_MIN_SIDE, _MIN_SIDE))
    finally:
        cv2.setNumThreads(threads_before)
