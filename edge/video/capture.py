"""Reading cameras: through OpenCV (extra `video`), and a Raspberry Pi's through picamera2."""

from __future__ import annotations

import contextlib
import importlib
import re
import threading
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np

from edge.errors import MissingExtra, SourceError, first_line
from edge.extras import require
from edge.image import Grey, Rgb
from edge.video.display import Frame
from edge.video.live import LiveFrames

_PI_CAMERA = re.compile(r"camera:pi(\d*)\Z")
_PI_SIZE = (640, 480)  # px, of frames of a Pi's camera: as OpenCV's, and all that the sensor sees
_LUMA_FIRST = ("YUV420", "YVU420", "NV12", "NV21")  # formats that begin with the luma

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


class PiCamera:
    """The ribbon-cable camera of a Raspberry Pi; reading gives its newest frame, as of `Camera`.

    Attributes:
        name: of the source.
    """

    def __init__(self, name: str = "camera:pi", number: int = 0, colour: bool = True) -> None:
        """Open and start the camera.

        Args:
            name: of the source, for messages.
            number: of the camera, as `rpicam-hello --list-cameras` counts.
            colour: whether frames are RGB; else grey `(H, W)`, the luma that the camera gives,
                without a conversion.

        Raises:
            MissingExtra: picamera2 is not installed.
            SourceError: there is no such camera, another program uses it, or it gives another
                format.
        """
        self.name, self._colour = name, colour
        module = _picamera2()
        with contextlib.ExitStack() as stack:
            try:
                self._camera = module.Picamera2(number)
                stack.callback(self._camera.close)  # else the next attempt would find it in use
                self._start()
            except (IndexError, RuntimeError, OSError) as error:
                raise SourceError(
                    f"{name}: there is no such camera, or another program uses it "
                    f"({first_line(error)}); rpicam-hello --list-cameras lists them"
                ) from error
            self._check_format()
            stack.pop_all()
        self._live = LiveFrames(name, self._images)

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
            self._camera.stop()
            self._camera.close()

    def _start(self) -> None:
        # That for previews has the colour space of photos: luma of BT.601 over the full range.
        self._camera.configure(
            self._camera.create_preview_configuration(
                main={"size": _PI_SIZE, "format": "BGR888"},  # RGB in memory
                lores={"size": _PI_SIZE, "format": "YUV420"},
            )
        )
        self._camera.start()

    def _check_format(self) -> None:
        """Other cameras than a Pi's, as USB ones, replace a format that they lack."""
        stream, formats = ("main", ("BGR888",)) if self._colour else ("lores", _LUMA_FIRST)
        found = self._camera.camera_configuration()[stream]["format"]
        if found not in formats:
            raise SourceError(
                f"{self.name}: gives {found}, expected {formats[0]}; is it a camera of the ribbon "
                "cable? USB cameras are camera:0, camera:1"
            )

    def _images(self, stopped: threading.Event) -> Iterator[Rgb | Grey]:
        width, height = self._camera.camera_configuration()["lores"]["size"]
        stream = "main" if self._colour else "lores"
        while not stopped.is_set():
            try:
                frame = self._camera.capture_array(stream)
            except (RuntimeError, OSError) as error:
                raise SourceError(f"{self.name}: gives no frame ({first_line(error)})") from error
            # Y is the first of the planes, which follow each other; rows may be padded.
            yield frame[:height, :width]


def pi_camera_number(name: str) -> int | None:
    """The number of a Pi's camera by its name, `camera:pi` or `camera:piN`; None of other names."""
    match = _PI_CAMERA.match(name)
    return int(match[1] or 0) if match else None


def _picamera2() -> Any:
    """The package of Raspberry Pi OS, which pip cannot install with its libcamera."""
    try:
        return importlib.import_module("picamera2")
    except ImportError as error:
        raise MissingExtra(
            f"reading a Pi's camera needs picamera2 ({first_line(error)}); install it with: "
            "sudo apt install python3-picamera2, and create the environment with "
            "python3 -m venv --system-site-packages"
        ) from error


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
