"""A camera or a video, looked at once a frame however many watch, and shown to all of them."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from edge.drawing import draw
from edge.errors import EdgeError
from edge.facekeypoints import FaceKeypoints
from edge.image_writer import to_jpeg
from edge.records import to_record
from edge.serve.limits import busy
from edge.video.capture import Camera, Frame, Video
from edge.video.tracker import Tracker

BOUNDARY = "frame"
_RETRY_S = 5.0  # until a camera that was lost is tried again
_LOOK_UP_S = 0.5  # after which whoever waits looks whether it is to stop
_LATE_S = 0.2  # a video's frame that is later is passed over


@dataclass(frozen=True, slots=True)
class Shown:
    """A frame as it is shown: the annotated JPEG file, and its JSON."""

    jpeg: bytes
    record: dict[str, Any]


class Live:
    """One source, looked at in a thread of its own while anybody watches.

    Attributes:
        name: of the source.
        newest: the frame that was looked at last, or None.
        looked_at: how many frames were.
    """

    def __init__(self, detect: FaceKeypoints, source: int | str, viewers: int) -> None:
        """Show a camera by its number, or a video file, over and over.

        Raises:
            MissingExtra: OpenCV is not installed.
            SourceError: the source cannot be opened.
        """
        self._detect, self._source, self._most = detect, source, viewers
        self._opened: Camera | Video | None = _open(source)
        self.name = self._opened.name
        self.newest: Shown | None = None
        self.looked_at = 0
        self._viewers: set[asyncio.Event] = set()
        self._watched = threading.Event()
        self._stopped = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="edge-live", daemon=True)

    @property
    def viewers(self) -> int:
        """How many watch."""
        return len(self._viewers)

    def start(self) -> None:
        """Begin; to be called where the event loop runs."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """End, for all who watch; may be called from anywhere."""
        self._stopped.set()
        self._watched.set()

    def join(self) -> None:
        """Wait until the source is let go."""
        self.stop()
        self._thread.join()

    def check_room(self) -> None:
        """Raise Refusal where as many watch as may."""
        if len(self._viewers) >= self._most:
            raise busy(f"{self._most} watch already")

    async def watch(self) -> AsyncGenerator[bytes, None]:
        """Frames as parts of `multipart/x-mixed-replace`; one who is slow misses some."""
        fresh = asyncio.Event()
        self._viewers.add(fresh)
        self._watched.set()
        try:
            while not self._stopped.is_set():
                try:
                    await asyncio.wait_for(fresh.wait(), _LOOK_UP_S)
                except asyncio.TimeoutError:
                    continue
                fresh.clear()
                if self.newest:
                    yield _part(self.newest.jpeg)
        finally:
            self._viewers.discard(fresh)
            if not self._viewers and not self._stopped.is_set():
                self._watched.clear()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                source = self._opened or _open(self._source)
                self._opened = None
                self._follow(source)
            except EdgeError as error:
                print(f"edge: {error}", file=sys.stderr)
                self._stopped.wait(_RETRY_S)

    def _follow(self, source: Camera | Video) -> None:
        """Look at a source's frames until it ends."""
        tracker = Tracker(self._detect)
        with closing(source.frames()) as frames:
            due: Iterator[Frame] = frames
            if isinstance(source, Video):
                due = _in_time(frames, source.rate, self._stopped)
            for frame in due:
                self._watched.wait()
                if self._stopped.is_set():
                    return
                self._show(frame, tracker)

    def _show(self, frame: Frame, tracker: Tracker) -> None:
        faces = tracker(frame.picture, frame.time)
        names = self._detect.keypoint_names
        height, width = frame.picture.shape[:2]
        record = to_record(self.name, width, height, faces, names, frame.number, frame.time)
        self.newest = Shown(to_jpeg(draw(frame.picture, faces, names=names)), record)
        self.looked_at += 1
        if self._loop and not self._stopped.is_set():
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for fresh in self._viewers:
            fresh.set()


def _open(source: int | str) -> Camera | Video:
    return Camera(source) if isinstance(source, int) else Video(source)


def _in_time(frames: Iterator[Frame], rate: float, stopped: threading.Event) -> Iterator[Frame]:
    """Frames of a video when they are due; those that come too late are left out."""
    start: float | None = None
    for frame in frames:
        now = time.monotonic()
        start = now - frame.time if start is None else start
        ahead = start + frame.time - now
        if ahead > 0:
            stopped.wait(ahead)
        elif ahead < -_LATE_S:
            # Nobody watched for a while, or this computer is too slow: go on from here.
            start = now - frame.time
            continue
        yield frame
    stopped.wait(1 / rate)  # the last frame is shown as long as the others


def _part(jpeg: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + b"\r\n"
