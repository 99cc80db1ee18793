"""Videos and cameras: faces are tracked through the frames, in a threaded pipeline."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from edge.analysis.assessment import Assessor
from edge.cli.filenames import STDIO
from edge.errors import SourceError
from edge.facekeypoints import FaceKeypoints
from edge.image import Rgb
from edge.run.hiding import HiddenFrames
from edge.run.output_paths import AnnotatedPaths
from edge.run.pipeline import Bounds, run_pipeline
from edge.run.reporter import ImageResult, Reporter
from edge.run.standard_input import standard_input
from edge.video.capture import Camera, PiCamera
from edge.video.display import Frame
from edge.video.reader import Video
from edge.video.smoothing import Smoothing
from edge.video.sound import Sound
from edge.video.stream import Stream
from edge.video.tracker import Tracker
from edge.video.writer import VideoWriter

_QUEUE_SIZE = 8  # frames of a file that wait before tracking, and before writing
_LIVE_QUEUE_SIZE = 1  # frames of a camera: each that waits is latency
_CAMERA_RATE = 15.0  # frames per second of a video written from a camera


@dataclass(frozen=True, slots=True)
class FrameRange:
    """The frames of a video that are processed.

    Attributes:
        every: process each `every`-th frame.
        start: time of the first frame, seconds from the beginning.
        stop: time at which to end, seconds from the beginning; None for the end of the video.
    """

    every: int = 1
    start: float = 0.0
    stop: float | None = None

    def count(self, video: Video) -> int:
        """About how many frames of a video these are; 0 if its length is unknown."""
        end = float(video.count)
        if self.stop is not None:
            end = min(end, self.stop * video.rate)
        return max(0, round((end - self.start * video.rate) / self.every))


@dataclass(frozen=True, slots=True)
class _Film:
    """A sequence of frames: of a video file, or live of a camera.

    Attributes:
        name: of the source.
        frames: read once, and closed afterwards.
        rate: frames per second of an annotated video whose format holds no times.
        total: number of frames, 0 if unknown.
        sound: opens the sound that is copied into the annotated video; None if there is none.
        is_live: whether the frames arrive in real time.
    """

    name: str
    frames: Generator[Frame, None, None]
    rate: float
    total: int = 0
    sound: Callable[[], Sound] | None = None
    is_live: bool = False


class FilmProcessor:
    """Tracks the faces of videos and cameras."""

    def __init__(
        self,
        detect: FaceKeypoints,
        reporter: Reporter,
        annotated: AnnotatedPaths | None,
        frame_range: FrameRange,
        smooth: bool = True,
        finder: FaceKeypoints | None = None,
        assess: Assessor | None = None,
    ) -> None:
        """Prepare for videos and cameras.

        Args:
            detect: finds the faces.
            reporter: receives the results.
            annotated: paths of the annotated videos; None writes none.
            frame_range: of videos; a camera's frames are all processed.
            smooth: whether keypoints are smoothed over time.
            finder: finds what is hidden in annotated videos, in every frame; None hides nothing.
            assess: assesses the faces; None does not.
        """
        self._detect = detect
        self._reporter = reporter
        self._annotated = annotated
        self._range = frame_range
        self._smooth = smooth
        self._finder = finder
        self._assess = assess

    def process_video(self, path: str) -> None:
        """Process a video file, or the video on standard input if `path` is `-`.

        Raises:
            MissingExtra: PyAV is not installed.
            SourceError: the video cannot be read or is damaged, or the annotated video cannot be
                written. Frames before and after the damage are processed first.
        """
        is_file = path != STDIO
        video = Video(path, None if is_file else cast(BinaryIO, standard_input()))
        selected = self._range
        film = _Film(
            path,
            video.frames(selected.every, selected.start, selected.stop),
            video.steady_rate / selected.every,
            selected.count(video),
            (lambda: Sound(video, selected.stop)) if is_file else None,
        )
        output = self._annotated.next(path, is_video=True) if self._annotated else None
        self._process(film, output)
        losses = video.losses
        if losses.total > losses.read:
            raise SourceError(
                f"{path}: damaged or cut: {losses.read} of {losses.total} frames were read"
            )

    def process_camera(self, name: str, number: int) -> None:
        """Process the frames of a camera until it ends or the run is interrupted.

        Raises:
            MissingExtra: OpenCV is not installed.
            SourceError: the camera cannot be read, or the annotated video cannot be written.
        """
        camera = Camera(number)
        self._process_live(_Film(name, camera.frames(), _CAMERA_RATE, is_live=True), camera)

    def process_pi_camera(self, name: str, number: int) -> None:
        """Process the frames of a Raspberry Pi's camera, grey ones where no colours are written.

        Raises:
            MissingExtra: picamera2 is not installed.
            SourceError: as `process_camera`.
        """
        is_written = self._annotated is not None and self._annotated.camera_path() is not None
        camera = PiCamera(name, number, colour=is_written or self._reporter.aligns)
        self._process_live(_Film(name, camera.frames(), _CAMERA_RATE, is_live=True), camera)

    def process_stream(self, address: str) -> None:
        """Process the frames at an address until it ends or the run is interrupted.

        Raises:
            MissingExtra: PyAV is not installed.
            SourceError: there is no connection, or the annotated video cannot be written.
        """
        stream = Stream(address)
        film = _Film(stream.name, stream.frames(), _CAMERA_RATE, is_live=stream.is_live)
        self._process_live(film, stream)

    def _process_live(self, film: _Film, source: Camera | PiCamera | Stream) -> None:
        output = self._annotated.camera_path() if self._annotated else None
        try:
            self._process(film, output)
        finally:
            self._reporter.message(
                f"{film.name}: {self._reporter.rate:.1f} frames per second, "
                f"{source.dropped} frames dropped"
            )

    def _process(self, film: _Film, path: Path | None) -> None:
        tracker = Tracker(self._detect, smoothing=Smoothing() if self._smooth else None)
        if self._assess:
            self._assess.start_video()
        with ExitStack() as stack:
            stack.callback(self._finish, film.name)
            writer = stack.enter_context(self._open_copy(path, film)) if path else None
            finder = self._finder if writer else None
            stack.enter_context(self._reporter.progress(film.name, film.total, "frames"))

            def track(batch: list[Frame]) -> list[ImageResult]:
                results = (_track(tracker, finder, film.name, frame) for frame in batch)
                return [self._assessed(result) for result in results]

            def write(result: ImageResult) -> None:
                self._write(result, writer)

            queue_size = _LIVE_QUEUE_SIZE if film.is_live else _QUEUE_SIZE
            run_pipeline(_read(film), track, write, bounds=Bounds(queue_size))
        if writer:
            for note in (f"annotated video: {path}", *writer.notes):
                self._reporter.message(f"{film.name}: {note}")

    def _assessed(self, result: ImageResult) -> ImageResult:
        if self._assess is None:
            return result
        assessments = self._assess(result.image, result.faces, result.time)
        return replace(result, assessments=assessments, events=self._assess.events)

    def _finish(self, name: str) -> None:
        if self._assess:
            self._reporter.record_events(name, self._assess.finish_video())
        self._reporter.finish(name)

    def _write(self, result: ImageResult, writer: _AnnotatedVideo | None) -> None:
        self._reporter.advance()
        self._reporter.record(result)
        if writer:
            writer.write(result)

    def _open_copy(self, path: Path, film: _Film) -> _AnnotatedVideo:
        blur, hidden = self._reporter.blur, None
        if blur and self._finder:
            hidden = HiddenFrames(blur, self._detect.min_score)
        return _AnnotatedVideo(path, film, self._reporter.annotate, hidden)


class _AnnotatedVideo:
    """A video whose frames are shown at the times of the source's; a context manager.

    After an error the file is deleted. After an interrupt the video of a camera is kept, as that is
    how one ends it; that of a file is deleted.
    """

    def __init__(
        self,
        path: Path,
        film: _Film,
        annotate: Callable[[ImageResult], Rgb],
        hidden: HiddenFrames | None,
    ) -> None:
        self._sound = film.sound() if film.sound else None
        self._writer = VideoWriter(path, film.rate, self._sound)
        self._film = film
        self._annotate = annotate
        self._hidden = hidden

    def __enter__(self) -> _AnnotatedVideo:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: Any) -> None:
        was_interrupted = error is not None and issubclass(error, KeyboardInterrupt)
        if error is not None and not (was_interrupted and self._film.is_live):
            self._writer.abandon()
            return
        for image, time in self._hidden.finish() if self._hidden else ():
            self._writer.write(image, time)
        self._writer.close()

    @property
    def notes(self) -> list[str]:
        """How the video differs from the source, a line each."""
        notes = []
        if self._writer.is_resampled and not self._film.is_live:
            notes.append(
                f"resampled to {self._writer.rate:.4g} frames per second, as this format holds no "
                "times; .mp4 and .mkv do"
            )
        if self._sound:
            notes += [f"sound is left out: {codec} does not go into this format; .mkv holds it"
                      for codec in self._sound.dropped]  # fmt: skip
        return notes

    def write(self, result: ImageResult) -> None:
        """Append a frame, at its time; with hidden faces, when the second after it is known."""
        if self._hidden is None:
            self._writer.write(self._annotate(result), result.time or 0.0)
            return
        for image, time in self._hidden.add(result):
            self._writer.write(image, time)


def _read(film: _Film) -> Iterator[Frame]:
    with closing(film.frames):  # releases the file or the camera, whatever happens
        yield from film.frames


def _track(tracker: Tracker, finder: FaceKeypoints | None, name: str, frame: Frame) -> ImageResult:
    faces = tracker(frame.image, frame.time)
    candidates = finder(frame.image) if finder else ()
    return ImageResult(name, frame.image, faces, frame.number, frame.time, candidates)
