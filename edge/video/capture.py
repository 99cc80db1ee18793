"""Reading cameras, through OpenCV (extra `video`)."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np

from edge.errors import SourceError
from edge.extras import require
from edge.image import Rgb
from edge.video.display import Frame
from edge.video.live import LiveFrames

# The level of OpenCV's messages belongs to the process: two threads would restore each other's.
_OPENING = threading.Lock()


class Camera:
    """A camera; reading gives its newest frame and drops those in between.

    Attributes:
        name: `camera:N`.
    """

    def __init__(self, number: int) -> None:
        """Open camera `number`.

        Raises:
            MissingExtra: OpenCV is not installed.
            SourceError: there is no such camera, or another program uses it.
        """
        cv2 = open_cv()
        self.name = f"camera:{number}"
        self._capture = _open(cv2, number)
        if self._capture is None:
            raise SourceError(f"{self.name}: there is no such camera, or another program uses it")
        self._live = LiveFrames(self.name, self._images)

    @property
    def dropped(self) -> int:
        """Frames that were dropped so far."""
        return self._live.dropped

    def frames(self) -> Generator[Frame, None, None]:
        """The newest frame, repeatedly; frames in between are counted and dropped.

        Raises:
            SourceError: the camera gives no frame.
        """
        try:
            yield from self._live.frames()
        finally:
            self._capture.release()

    def _images(self, stopped: threading.Event) -> Iterator[Rgb]:
        cv2 = open_cv()
        while not stopped.is_set():
            success, bgr = self._capture.read()
            if not success:
                return
            yield np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def open_cv() -> Any:
    """OpenCV.

    Raises:
        MissingExtra: it is not installed.
    """
    return require("cv2", "video", "reading cameras")


def _open(cv2: Any, number: int) -> Any:
    """An open `cv2.VideoCapture` of a camera, or None."""
    with _OPENING, _silence(cv2):
        capture = cv2.VideoCapture(number)
    if not capture.isOpened():
        capture.release()
        return None
    return capture


@contextlib.contextmanager
def _silence(cv2: Any) -> Iterator[None]:
    """Silence OpenCV's own messages, in one thread at a time: errors are reported once, by us."""
    logging = getattr(cv2.utils, "logging", None)
    if logging is None:
        yield
        return
    before = logging.getLogLevel()
    logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(before)
