"""Reading cameras, through OpenCV (extra `video`)."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np

from edge.errors import SourceError
from edge.extras import require
from edge.image import Rgb
from edge.video.frame import Frame

# The level of OpenCV's messages belongs to the process: two threads would restore each other's.
_OPENING = threading.Lock()


class Camera:
    """A camera; reading gives its newest frame and drops those in between.

    Attributes:
        name: `camera:N`.
        dropped: frames that were dropped so far.
    """

    def __init__(self, number: int) -> None:
        """Open camera `number`.

        Raises:
            MissingExtra: OpenCV is not installed.
            SourceError: there is no such camera, or another program uses it.
        """
        cv2 = open_cv()
        self.name = f"camera:{number}"
        self.dropped = 0
        self._capture = _open(cv2, number)
        if self._capture is None:
            raise SourceError(f"{self.name}: there is no such camera, or another program uses it")
        self._newest: Rgb | None = None
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read_frames, daemon=True)

    def frames(self) -> Generator[Frame, None, None]:
        """The newest frame, repeatedly; frames in between are counted and dropped.

        Raises:
            SourceError: the camera gives no frame.
        """
        self._thread.start()
        start, number = time.monotonic(), 0
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._newest is not None or self._ended)
                    image, self._newest = self._newest, None
                if image is None:
                    if not number:
                        raise SourceError(f"{self.name}: gives no image")
                    return
                yield Frame(number, time.monotonic() - start, image)
                number += 1
        finally:
            self._ended = True
            self._thread.join()
            self._capture.release()

    def _read_frames(self) -> None:
        cv2 = open_cv()
        try:
            while not self._ended:
                success, bgr = self._capture.read()
                if not success:
                    return
                rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
                with self._changed:
                    self.dropped += self._newest is not None
                    self._newest = rgb
                    self._changed.notify_all()
        finally:  # after an error too, or the consumer would wait for ever
            with self._changed:
                self._ended = True
                self._changed.notify_all()


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
