"""Reading video files and cameras and writing videos, through OpenCV (extra `video`)."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import SourceError
from edge.extras import require
from edge.files import temporary_path
from edge.image import Rgb

_FALLBACK_RATE = 25.0  # frames a second, where the file gives none
_MAX_RATE = 1000.0  # frames a second; files with more have a broken header
_CODEC = "mp4v"  # in every build of OpenCV
_CODEC_BY_SUFFIX = {".avi": "MJPG", ".webm": "VP80", ".ogv": "THEO"}


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame.

    Attributes:
        number: from 0.
        time: seconds from the beginning.
        image: uint8 `(H, W, 3)`, RGB, upright.
    """

    number: int
    time: float
    image: Rgb


class Video:
    """An open video file.

    Attributes:
        name: its path.
        rate: frames a second.
        count: number of frames by the file's header; 0 where it gives none.
    """

    def __init__(self, path: str | Path) -> None:
        """Open a file.

        Raises:
            MissingExtra: OpenCV is not installed.
            SourceError: the file cannot be opened as a video.
        """
        cv2 = open_cv()
        self.name = str(path)
        if not Path(path).is_file():
            raise SourceError(f"{path}: no such file")
        self._capture = _open(cv2, str(path))
        if self._capture is None:
            raise SourceError(f"{path}: cannot be opened as a video")
        self.rate = float(self._capture.get(cv2.CAP_PROP_FPS) or 0.0)
        if not 0 < self.rate < _MAX_RATE:
            self.rate = _FALLBACK_RATE
        self.count = max(0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)))

    def frames(
        self, every: int = 1, start: float = 0.0, stop: float | None = None
    ) -> Generator[Frame, None, None]:
        """Read the frames, once; the file is released at the end.

        Args:
            every: 2 gives every second frame, and so on.
            start: seconds from the beginning to skip.
            stop: seconds from the beginning at which to end; None for the end of the file.

        Raises:
            SourceError: not one frame can be decoded, or it ends before `start`.
        """
        cv2 = open_cv()
        first = round(start * self.rate)
        number = decoded = 0
        try:
            while stop is None or number / self.rate < stop:
                if not self._capture.grab():
                    break
                if number / self.rate >= start and (number - first) % every == 0:
                    success, bgr = self._capture.retrieve()
                    if success:
                        rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
                        yield Frame(number, number / self.rate, np.asarray(rgb, np.uint8))
                        decoded += 1
                number += 1
            at_end = stop is None or number / self.rate < stop
            if not number or (not decoded and at_end):
                raise self._nothing_read(number, start)
        finally:
            self._capture.release()

    def _nothing_read(self, count: int, start: float) -> SourceError:
        if not count:
            return SourceError(f"{self.name}: no frame can be decoded")
        return SourceError(
            f"{self.name}: ends after {count / self.rate:.1f} s, before --start {start:g}"
        )


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


class VideoWriter:
    """A video file that is written frame by frame; it appears under its name when it is closed."""

    def __init__(self, path: Path, rate: float) -> None:
        """Write to `path` at `rate` frames a second; the first frame gives the size.

        Raises:
            MissingExtra: OpenCV is not installed.
        """
        open_cv()
        self.path = path
        self._rate = rate
        self._part = temporary_path(path)
        self._writer: Any = None

    def write(self, image: Rgb) -> None:
        """Add a frame, uint8 `(H, W, 3)`, all of one size.

        Raises:
            SourceError: the file cannot be written, or its suffix is of no known format.
        """
        cv2 = open_cv()
        height, width = image.shape[:2]
        if height % 2 or width % 2:  # codecs need even sides: repeat the border
            image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        if self._writer is None:
            height, width = image.shape[:2]
            codec = _CODEC_BY_SUFFIX.get(self.path.suffix.lower(), _CODEC)
            with _silence(cv2):
                writer = cv2.VideoWriter(
                    str(self._part), cv2.VideoWriter_fourcc(*codec), self._rate, (width, height)
                )
            if not writer.isOpened():
                raise SourceError(f"{self.path}: cannot be written as a video; try .mp4 or .avi")
            self._writer = writer
        self._writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        """Finish the file, if a frame was written."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None
            self._part.replace(self.path)

    def abandon(self) -> None:
        """Discard the unfinished file."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None
        self._part.unlink(missing_ok=True)


def open_cv() -> Any:
    """OpenCV.

    Raises:
        MissingExtra: it is not installed.
    """
    return require("cv2", "video", "reading videos and cameras")


def _open(cv2: Any, source: str | int) -> Any:
    """An open `cv2.VideoCapture` of a file or a camera, or None."""
    with _silence(cv2):
        capture = cv2.VideoCapture(source)
    if not capture.isOpened():
        capture.release()
        return None
    return capture


@contextlib.contextmanager
def _silence(cv2: Any) -> Iterator[None]:
    """Silence OpenCV's own messages: errors are reported once, by us."""
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
