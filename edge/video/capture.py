"""Video files and cameras through OpenCV, extra `video`: read, and written with faces drawn."""

from __future__ import annotations

import contextlib
import importlib
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import MissingExtra, SourceError
from edge.image import Rgb

_FALLBACK_RATE = 25.0  # frames a second, where a file does not say
_CODEC = "mp4v"  # in every build of OpenCV
_OTHER_CODECS = {".avi": "MJPG", ".webm": "VP80", ".ogv": "THEO"}


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: its number from 0, its time in seconds, and the picture, upright, RGB."""

    number: int
    time: float
    picture: Rgb


class Video:
    """An open video file.

    Attributes:
        name: its path.
        rate: frames a second.
        count: how many frames the file says it has; 0 where it does not say.
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
        if not 0 < self.rate < 1000:
            self.rate = _FALLBACK_RATE
        self.count = max(0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)))

    def frames(
        self, every: int = 1, start: float = 0.0, stop: float | None = None
    ) -> Generator[Frame, None, None]:
        """Read the frames, once; the file is let go at the end.

        Args:
            every: 2 gives every second frame, and so on.
            start: seconds from the beginning that are skipped.
            stop: seconds from the beginning at which to end; None for the end of the file.

        Raises:
            SourceError: not one frame can be decoded, or it ends before `start`.
        """
        cv2 = open_cv()
        number = given = 0
        try:
            while stop is None or number / self.rate < stop:
                wanted = (
                    number / self.rate >= start and (number - round(start * self.rate)) % every == 0
                )
                if not self._capture.grab():
                    break
                if wanted:
                    good, picture = self._capture.retrieve()
                    if good:
                        rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
                        yield Frame(number, number / self.rate, np.asarray(rgb, np.uint8))
                        given += 1
                number += 1
            if not number:
                raise SourceError(f"{self.name}: not one frame can be decoded")
            if not given and (stop is None or number / self.rate < stop):
                raise SourceError(
                    f"{self.name}: ends after {number / self.rate:.1f} s, before second {start:g} "
                    "from which on it was to be read"
                )
        finally:
            self._capture.release()


class Camera:
    """A camera whose newest frame is given, however long ago the last was taken."""

    def __init__(self, number: int) -> None:
        """Open camera `number`.

        Raises:
            MissingExtra: OpenCV is not installed.
            SourceError: there is no such camera, or it gives no picture.
        """
        cv2 = open_cv()
        self.name = f"camera:{number}"
        self.dropped = 0
        self._capture = _open(cv2, number)
        if self._capture is None:
            raise SourceError(f"{self.name}: there is no such camera, or another program has it")
        self._newest: Rgb | None = None
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def frames(self) -> Generator[Frame, None, None]:
        """The newest frame, again and again; those that came in between are counted and dropped."""
        self._thread.start()
        start, number = time.monotonic(), 0
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._newest is not None or self._ended)
                    picture, self._newest = self._newest, None
                if picture is None:
                    if not number:
                        raise SourceError(f"{self.name}: gives no picture")
                    return
                yield Frame(number, time.monotonic() - start, picture)
                number += 1
        finally:
            self._ended = True
            self._thread.join()
            self._capture.release()

    def _watch(self) -> None:
        cv2 = open_cv()
        try:
            while not self._ended:
                good, picture = self._capture.read()
                if not good:
                    return
                rgb = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
                with self._changed:
                    self.dropped += self._newest is not None
                    self._newest = rgb
                    self._changed.notify_all()
        finally:  # whatever happened, nobody must wait for ever
            with self._changed:
                self._ended = True
                self._changed.notify_all()


class VideoWriter:
    """A video that is written frame by frame; it is whole only once it is closed."""

    def __init__(self, path: Path, rate: float) -> None:
        """Write to `path` at `rate` frames a second; the first frame gives the size.

        Raises:
            MissingExtra: OpenCV is not installed.
        """
        open_cv()
        self.path, self._rate = path, rate
        self._part = path.with_name(f"part-{path.name}")
        self._writer: Any = None

    def write(self, picture: Rgb) -> None:
        """Add a frame, uint8 `(H, W, 3)`, all of one size.

        Raises:
            SourceError: the file cannot be written, or its suffix is of no known format.
        """
        cv2 = open_cv()
        height, width = picture.shape[:2]
        if height % 2 or width % 2:  # which the codecs cannot write; the border is repeated
            picture = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        if self._writer is None:
            height, width = picture.shape[:2]
            codec = _OTHER_CODECS.get(self.path.suffix.lower(), _CODEC)
            with _silence(cv2):
                writer = cv2.VideoWriter(
                    str(self._part), cv2.VideoWriter_fourcc(*codec), self._rate, (width, height)
                )
            if not writer.isOpened():
                raise SourceError(f"{self.path}: cannot be written as a video; try .mp4 or .avi")
            self._writer = writer
        self._writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        """Finish the file, if a frame was written."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None
            self._part.replace(self.path)

    def abandon(self) -> None:
        """Leave no half-written file."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None
        self._part.unlink(missing_ok=True)


def open_cv() -> Any:
    """OpenCV.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return importlib.import_module("cv2")
    except ImportError as error:
        raise MissingExtra(
            f"videos and cameras need OpenCV ({error}); install the extra edge-keypoints[video]"
        ) from error


def _open(cv2: Any, source: str | int) -> Any:
    """An open capture, or None."""
    with _silence(cv2):
        capture = cv2.VideoCapture(source)
    if not capture.isOpened():
        capture.release()
        return None
    return capture


@contextlib.contextmanager
def _silence(cv2: Any) -> Iterator[None]:
    """What cannot be opened is said once, by us."""
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
