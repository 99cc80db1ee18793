"""A live stream: a camera or video, processed once per frame for all viewers, sent as MJPEG."""

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
from edge.serve.http_errors import service_unavailable
from edge.video.capture import Camera
from edge.video.display import Frame
from edge.video.reader import Video
from edge.video.tracker import Tracker

BOUNDARY = "frame"
_RECONNECT_S = 5.0  # pause before a source that failed is opened again
_POLL_S = 0.5  # interval at which waiting viewers check whether the stream has stopped
_MAX_LATENESS_S = 0.2  # video frames later than this are dropped


@dataclass(frozen=True, slots=True)
class AnnotatedFrame:
    """A processed frame: a JPEG file with its faces drawn, and its JSON record."""

    jpeg: bytes
    record: dict[str, Any]


class LiveStream:
    """One source, processed in a thread of its own while it has viewers.

    Attributes:
        name: of the source.
        latest: the last processed frame; None before the first.
        processed_frames: number of frames processed so far.
    """

    def __init__(self, detect: FaceKeypoints, source: int | str, max_viewers: int) -> None:
        """Open the source.

        Args:
            detect: the open models.
            source: the number of a camera, or the path of a video, which is played in a loop.
            max_viewers: simultaneous viewers at most.

        Raises:
            MissingExtra: OpenCV or, for a video, PyAV is not installed.
            SourceError: the source cannot be opened.
        """
        self._detect = detect
        self._source = source
        self._max_viewers = max_viewers
        self._opened: Camera | Video | None = _open(source)
        self.name = self._opened.name
        self.latest: AnnotatedFrame | None = None
        self.processed_frames = 0
        self._viewers: set[asyncio.Event] = set()  # each is set when there is a new frame
        self._active = threading.Event()  # has viewers, or is to stop
        self._stopped = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="edge-live", daemon=True)

    @property
    def viewer_count(self) -> int:
        """Number of current viewers."""
        return len(self._viewers)

    def start(self) -> None:
        """Start the thread; must be called in the event loop that serves the viewers."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """End the stream for all viewers; thread-safe."""
        self._stopped.set()
        self._active.set()

    def join(self) -> None:
        """Stop, and wait until the source is closed."""
        self.stop()
        self._thread.join()

    def check_capacity(self) -> None:
        """Check that another viewer is allowed.

        Raises:
            HTTPException: 503, there are `max_viewers` already.
        """
        if self.viewer_count >= self._max_viewers:
            raise service_unavailable(f"the stream has {self.viewer_count} viewers already")

    async def watch(self) -> AsyncGenerator[bytes, None]:
        """Yield frames as parts of `multipart/x-mixed-replace`; slow viewers skip frames."""
        new_frame = asyncio.Event()
        self._viewers.add(new_frame)
        self._active.set()
        try:
            while not self._stopped.is_set():
                try:
                    await asyncio.wait_for(new_frame.wait(), _POLL_S)
                except asyncio.TimeoutError:
                    continue
                new_frame.clear()
                if self.latest:
                    yield _multipart_part(self.latest.jpeg)
        finally:
            self._viewers.discard(new_frame)
            if not self._viewers and not self._stopped.is_set():
                self._active.clear()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                source = self._opened or _open(self._source)
                self._opened = None
                self._process_source(source)
            except EdgeError as error:
                print(f"edge: {error}", file=sys.stderr)
                self._stopped.wait(_RECONNECT_S)

    def _process_source(self, source: Camera | Video) -> None:
        """Process the frames of a source until it ends or the stream stops."""
        tracker = Tracker(self._detect)
        with closing(source.frames()) as frames:
            paced: Iterator[Frame] = frames
            if isinstance(source, Video):
                paced = _in_real_time(frames, source.rate, self._stopped)
            for frame in paced:
                self._active.wait()
                if self._stopped.is_set():
                    return
                self._process_frame(frame, tracker)

    def _process_frame(self, frame: Frame, tracker: Tracker) -> None:
        faces = tracker(frame.image, frame.time)
        names = self._detect.keypoint_names
        height, width = frame.image.shape[:2]
        record = to_record(self.name, width, height, faces, names, frame.number, frame.time)
        drawn = draw(frame.image, faces, names=names, show_points68=True)
        self.latest = AnnotatedFrame(to_jpeg(drawn), record)
        self.processed_frames += 1
        if self._loop and not self._stopped.is_set():
            self._loop.call_soon_threadsafe(self._notify_viewers)

    def _notify_viewers(self) -> None:
        for new_frame in self._viewers:
            new_frame.set()


def _open(source: int | str) -> Camera | Video:
    return Camera(source) if isinstance(source, int) else Video(source)


def _in_real_time(
    frames: Iterator[Frame], rate: float, stopped: threading.Event
) -> Iterator[Frame]:
    """Yield the frames of a video at their presentation times; late frames are dropped."""
    start: float | None = None
    for frame in frames:
        now = time.monotonic()
        start = now - frame.time if start is None else start
        ahead_s = start + frame.time - now
        if ahead_s > 0:
            stopped.wait(ahead_s)
        elif ahead_s < -_MAX_LATENESS_S:
            # The stream had no viewers for a while, or this computer is too slow: continue here.
            start = now - frame.time
            continue
        yield frame
    stopped.wait(1 / rate)  # the duration of the last frame


def _multipart_part(jpeg: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + b"\r\n"
