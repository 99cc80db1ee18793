"""The face detector of OpenCV's frontal-face Haar cascade, extra `haar`; kept for comparison."""

from __future__ import annotations

import functools
import threading
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import MissingExtra, first_line
from edge.extras import require
from edge.geometry.face_frame import box_of_square
from edge.image import Grey
from edge.networks.detections import Detections
from edge.resize import resize

# On 400 lfpw photos the default cascade found 397 faces and the second alternative one 385, in the
# same time; of its more frequent false alarms, the keypoint network's score leaves few.
_CASCADE = "haarcascade_frontalface_default.xml"
_SCALE_FACTOR = 1.1  # ratio of successive window sizes
_MIN_NEIGHBOURS = 3  # overlapping hits that make a face
_MIN_SIDE = 20  # px of the resized image: the cascade's own window

# A cascade keeps state while it runs, and OpenCV's number of threads is that of the process.
_LOCK = threading.Lock()


class HaarDetector:
    """OpenCV's frontal-face cascade.

    Attributes:
        path: None, as there is no `.onnx` file.
        finds_faces: always True, see `edge.networks.detections.Detector`.
    """

    path: Path | None = None
    finds_faces = True
    needs_rotation = False  # it gives no scores, and takes ten times as long

    def __init__(self, threads: int = 1) -> None:
        """Open the cascade; a search may use `threads` threads.

        Raises:
            MissingExtra: OpenCV is not installed, or has no cascades (OpenCV 5 removed them).
        """
        self._cascade, self._threads = _open_cascade(), threads

    def __call__(self, grey: Grey, detect_size: int = 320) -> Detections:
        """Find faces.

        Args:
            grey: uint8 `(H, W)`.
            detect_size: the image is searched at this length of its longer side, px; a smaller one
                as it is.

        Returns:
            Detections without scores; boxes as those of `edge.networks.face_detector`.
        """
        height, width = grey.shape
        scale = min(detect_size / max(height, width), 1.0)
        small = resize(grey, (max(1, round(height * scale)), max(1, round(width * scale))))
        with _LOCK:
            squares = np.asarray(self._search(small), dtype=np.float32).reshape(-1, 4)
        factors = np.array(grey.shape[::-1], np.float32) / np.array(small.shape[::-1], np.float32)
        squares *= np.tile(factors, 2)
        # Measured on 793 lfpw faces, the cascade's squares frame a face just as Kaggle's images
        # do: side 0.99 to 1.01, centres within 0.5 %.
        boxes = [box_of_square(square) for square in squares]
        return Detections(np.array(boxes, np.float32).reshape(-1, 4))

    def _search(self, grey: Grey) -> Any:
        import cv2

        threads_before = cv2.getNumThreads()
        cv2.setNumThreads(self._threads)
        try:
            return self._cascade.detectMultiScale(
                grey, _SCALE_FACTOR, _MIN_NEIGHBOURS, minSize=(_MIN_SIDE, _MIN_SIDE)
            )
        finally:
            cv2.setNumThreads(threads_before)


@functools.cache
def _open_cascade() -> Any:
    cv2 = require("cv2", "haar", "detector haar")
    try:
        cascade = cv2.CascadeClassifier(cv2.data.haarcascades + _CASCADE)
    except AttributeError as error:
        raise MissingExtra(_no_cascade(first_line(error))) from error
    if cascade.empty():
        raise MissingExtra(_no_cascade(f"{_CASCADE} cannot be read"))
    return cascade


def _no_cascade(reason: str) -> str:
    return (
        f"detector haar needs OpenCV 4 with its cascades ({reason}); "
        "install it with: pip install 'edge-keypoints[haar]'"
    )
