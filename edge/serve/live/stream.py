"""A live stream: a camera or video, processed once per frame for all viewers.

Viewers receive the annotated frames as MJPEG; followers the states of the faces, which are measured
while someone follows them.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from edge.drawing import draw
from edge.errors import EdgeError
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.formats.image_writer import to_jpeg
from edge.records import to_record
from edge.serve.http_errors import service_unavailable
from edge.serve.live.followers import Follower, LiveAssessor, to_message
from edge.serve.live.watching import Watcher
from edge.video.capture import Camera, PiCamera, pi_camera_number
from edge.video.display import Frame
from edge.video.reader import Video
from edge.video.tracker import Tracker

BOUNDARY = "frame"
_RECONNECT_S = 5.0  # pause before a source that failed is opened again
_POLL_S = 0.5  # interval at which waiting viewers check whether the stream has stopped
_MAX_LATENESS_S = 0.2  # video frames later than this are dropped

_Member = TypeVar("_Member")


@dataclass(frozen=True, slots=True)
class AnnotatedFrame:
    """A processed frame: a JPEG file with its faces drawn, if anyone views it, and its record."""

    jpeg: bytes | None
    record: dict[str, Any]


class LiveStream:
    """One source, processed in a thread of its own while it has viewers, or always if watched.

    Attributes:
        name: of the source.
        watcher: counts what its faces do; None does not.
        latest: the last processed frame; None before the first.
        processed_frames: number of frames processed so far.
    """

    def __init__(
        self,
        detect: FaceKeypoints,
        source: int | str,
        max_viewers: int,
        make_watcher: Callable[[str], Watcher] | None = None,
    ) -> None:
        """Open the source.

        Args:
            detect: the open models.
            source: the number of a camera, the name of a Raspberry Pi's, `camera:pi`, or the path
                of a video, which is played in a loop.
            max_viewers: simultaneous viewers at most.
            make_watcher: makes what counts what the faces do, from the source's name; None
                processes frames for viewers alone.

        Raises:
            MissingExtra: OpenCV or, for a video, PyAV, for a Pi's camera picamera2 is missing.
            SourceError: the source cannot be opened.
        """
        self._detect = detect
        self._source = source
        self._max_viewers = max_viewers
        self._opened: Camera | PiCamera | Video | None = _open(source)
        self.name = self._opened.name
        self.watcher = make_watcher(self.name) if make_watcher else None
        self.latest: AnnotatedFrame | None = None
        self.processed_frames = 0
        self._viewers: set[asyncio.Event] = set()  # each is set when there is a new frame
        self._followers: set[Follower] = set()
        self._assess = LiveAssessor(always=self.watcher is not None)
        self._active = threading.Event()  # has viewers, or is to stop
        self._stopped = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="edge-live", daemon=True)

    @property
    def viewer_count(self) -> int:
        """Number of current viewers and followers."""
        return len(self._viewers) + len(self._followers)

    def start(self) -> None:
        """Start the thread; must be called in the event loop that serves the viewers."""
        self._loop = asyncio.get_running_loop()
        if self.watcher:
            self._active.set()
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
        with self._active_for(self._viewers, new_frame):
            while await self._next(new_frame):
                if self.latest and self.latest.jpeg:
                    yield _multipart_part(self.latest.jpeg)

    async def follow(self, quality: bool) -> AsyncGenerator[bytes, None]:
        """Yield the states of the faces of each frame as server-sent events.

        Args:
            quality: whether the quality of the shots is measured, too.
        """
        follower = Follower(quality)
        with self._active_for(self._followers, follower):
            while await self._next(follower.changed):
                for message in follower.take():
                    yield b"data: " + message + b"\n\n"

    @contextmanager
    def _active_for(self, audience: set[_Member], member: _Member) -> Iterator[None]:
        """Process frames while `member` is one of the audience."""
        audience.add(member)
        self._active.set()
        try:
            yield
        finally:
            audience.discard(member)
            if not (self.viewer_count or self.watcher or self._stopped.is_set()):
                self._active.clear()

    async def _next(self, changed: asyncio.Event) -> bool:
        """Wait for an event, and clear it; False when the stream has stopped."""
        while not self._stopped.is_set():
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(changed.wait(), _POLL_S)
                changed.clear()
                return True
        return False

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                source = self._opened or _open(self._source)
                self._opened = None
                self._process_source(source)
            except EdgeError as error:
                print(f"edge: {error}", file=sys.stderr)
                if self.watcher:
                    self.watcher.lose()
                self._stopped.wait(_RECONNECT_S)

    def _process_source(self, source: Camera | PiCamera | Video) -> None:
        """Process the frames of a source until it ends or the stream stops."""
        tracker = Tracker(self._detect)
        self._assess.start_video()
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
        wanted = self._assess.wanted(self._followers)
        detect = self._detect
        needs_points68 = wanted.needs_points68 and detect.model.has_points68
        tracker.points68 = detect.points68 or needs_points68
        faces = tracker(frame.image, frame.time)
        measured = self._assess(frame, faces, wanted)
        if self.watcher:
            self.watcher(faces, measured, frame.time)
        # Who has come since then follows from the next frame on: of this one nothing was measured.
        is_followed = wanted.is_assessed and self._followers
        message = to_message(frame, faces, measured) if is_followed else None
        self._publish(self._annotate(frame, faces), message)

    def _annotate(self, frame: Frame, faces: Sequence[Face]) -> AnnotatedFrame:
        if not self._detect.points68:
            faces = [replace(face, points68=None) for face in faces]
        names = self._detect.keypoint_names
        height, width = frame.image.shape[:2]
        record = to_record(self.name, width, height, faces, names, frame.number, frame.time)
        if not self._viewers:
            return AnnotatedFrame(None, record)
        drawn = draw(frame.image, faces, names=names, show_points68=True)
        return AnnotatedFrame(to_jpeg(drawn), record)

    def _publish(self, annotated: AnnotatedFrame, message: bytes | None) -> None:
        self.latest = annotated
        self.processed_frames += 1
        if self._loop and not self._stopped.is_set():
            self._loop.call_soon_threadsafe(self._notify, message)

    def _notify(self, message: bytes | None) -> None:
        for new_frame in self._viewers:
            new_frame.set()
        for follower in self._followers:
            if message is not None:
                follower.give(message)


def _open(source: int | str) -> Camera | PiCamera | Video:
    if isinstance(source, int):
        return Camera(source)
    number = pi_camera_number(source)
    return Video(source) if number is None else PiCamera(source, number)


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
