"""Writing videos whose frames are shown at given times, with the sound of another file."""

from __future__ import annotations

from errno import EINVAL, EPERM
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np

from edge.errors import SourceError, first_line
from edge.files import temporary_path
from edge.formats.marks import MARK
from edge.image import Rgb
from edge.video.containers import open_av
from edge.video.sound import Sound

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import OutputContainer
    from av.video.stream import VideoStream

_CODEC = "mpeg4"  # in every build of FFmpeg
_CODEC_BY_SUFFIX = {
    ".avi": "mjpeg", ".webm": "libvpx", ".ogv": "libvpx", ".flv": "flv",
    ".mpg": "mpeg2video", ".mpeg": "mpeg2video", ".vob": "mpeg2video",
}  # fmt: skip
_FORMAT_BY_SUFFIX = {
    ".mkv": "matroska", ".m4v": "mp4", ".mpg": "mpeg", ".mpeg": "mpeg", ".ogv": "ogg",
    ".ts": "mpegts", ".mts": "mpegts", ".m2ts": "mpegts", ".wmv": "asf",
}  # fmt: skip
# Of formats that hold a rate and no times: Ogg counts frames, and programme streams have times for
# a few packets only.
_STEADY_SUFFIXES = (".avi", ".ogv", ".mpg", ".mpeg", ".vob")
# The only rates of MPEG-2 video, frames a second (ISO/IEC 13818-2, table 6-4).
_MPEG_RATES = (
    *(Fraction(n, 1001) for n in (24000, 30000, 60000)),
    *(Fraction(n) for n in (24, 25, 30, 50, 60)),
)
_TICK = Fraction(1, 60000)  # s; MPEG-4 allows no more than 65,535 ticks a second
_MAX_RATE_DENOMINATOR = 1001  # of the rates in use: 30000/1001 and the like
_QUALITY = {"flags": "+qscale", "global_quality": str(3 * 118)}  # of MPEG codecs, 1 (best) to 31
_VP8_BITS = 0.2  # bits a pixel


class VideoWriter:
    """A video file that is written frame by frame; it appears under its name when it is closed.

    Attributes:
        path: of the file.
        is_resampled: whether frames were repeated or left out, as the format holds no times.
    """

    def __init__(self, path: Path, rate: float, sound: Sound | None = None) -> None:
        """Write to `path`; the first frame gives the size.

        Args:
            path: its suffix gives the format.
            rate: frames a second where the format holds no times or `write` gets none.
            sound: to copy; closed with the file.

        Raises:
            MissingExtra: PyAV is not installed.
        """
        open_av()
        self.path = path
        self.is_resampled = False
        self._rate = Fraction(rate).limit_denominator(_MAX_RATE_DENOMINATOR)
        codec = _CODEC_BY_SUFFIX.get(path.suffix.lower(), _CODEC)
        if codec == "mpeg2video":
            self._rate = mpeg_rate(self._rate)
        self._codec = codec
        self._sound = sound
        self._part = temporary_path(path)
        self._file: BinaryIO | None = None
        self._container: OutputContainer | None = None
        self._stream: Any = None
        self._is_steady = path.suffix.lower() in _STEADY_SUFFIXES
        self._tick = 1 / self._rate if self._is_steady else _TICK
        self._count = 0  # frames given to `write`
        self._first_time = 0.0
        self._next_tick = 0  # the first at which no frame is shown yet

    @property
    def rate(self) -> float:
        """Frames a second, where the format holds no times."""
        return float(self._rate)

    def write(self, image: Rgb, time: float | None = None) -> None:
        """Add a frame.

        Args:
            image: uint8 `(H, W, 3)`, all of one size.
            time: when it is shown, seconds, rising; the first frame is shown at once, and the
                others as much later as their times are later than its. None for a steady rate.

        Raises:
            SourceError: the file cannot be written, or its suffix is of no known format.
        """
        seconds = float(self._count / self._rate) if time is None else time
        height, width = image.shape[:2]
        if height % 2 or width % 2:  # codecs need even sides: repeat the border
            image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        try:
            if not self._count:
                self._begin(image, seconds)
            self._count += 1
            self._write(image, seconds - self._first_time)
        except _errors() as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Finish the file, if a frame was written.

        Raises:
            SourceError: the file cannot be written.
        """
        if self._container is not None:
            try:
                self._container.mux(self._stream.encode(None))
                if self._sound:
                    self._sound.copy_until(self._container, None)
                self._container.close()
            except _errors() as error:
                raise self._failure(error) from error
            self._release()
            self._part.replace(self.path)
        self._release()

    def abandon(self) -> None:
        """Discard the unfinished file."""
        self._release()
        self._part.unlink(missing_ok=True)

    def _begin(self, image: Rgb, seconds: float) -> None:
        self._first_time = seconds
        suffix = self.path.suffix.lower()
        self._file = self._part.open("w+b")
        self._container = open_av().open(
            self._file, "w", format=_FORMAT_BY_SUFFIX.get(suffix, suffix.removeprefix("."))
        )
        self._container.metadata["comment"] = MARK
        self._stream = self._add_stream(image)
        if self._sound:
            self._sound.begin(self._container, seconds)

    def _add_stream(self, image: Rgb) -> VideoStream:
        assert self._container is not None
        codec = self._codec
        options = {} if codec == "libvpx" else _QUALITY
        stream = cast(
            "VideoStream", self._container.add_stream(codec, rate=self._rate, options=options)
        )
        stream.height, stream.width = image.shape[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.time_base = stream.codec_context.time_base = self._tick
        if codec == "libvpx":
            stream.bit_rate = round(image.shape[0] * image.shape[1] * self._rate * _VP8_BITS)
        return stream

    def _write(self, image: Rgb, seconds: float) -> None:
        tick = round(Fraction(seconds) / self._tick)
        if self._is_steady:
            self.is_resampled |= tick != self._next_tick
            for missed in range(self._next_tick, tick + 1):
                self._encode(image, missed)
        else:
            self._encode(image, max(tick, self._next_tick))

    def _encode(self, image: Rgb, tick: int) -> None:
        assert self._container is not None
        frame: VideoFrame = open_av().VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts, frame.time_base = tick, self._tick
        self._next_tick = tick + 1
        if self._sound:
            self._sound.copy_until(self._container, float(tick * self._tick))
        self._container.mux(self._stream.encode(frame))

    def _release(self) -> None:
        if self._sound:
            self._sound.close()
        if self._container is not None:
            self._container.close()
            self._container = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def _failure(self, error: Exception) -> SourceError:
        """What failed: the file system, or a format that refuses the codec (EPERM, EINVAL)."""
        is_refused = getattr(error, "errno", None) in (EPERM, EINVAL)
        if isinstance(error, OSError) and error.strerror and self._container and not is_refused:
            return SourceError(f"{self.path}: cannot be written ({first_line(error)})")
        return SourceError(f"{self.path}: cannot be written as a video; try .mp4 or .avi")


def mpeg_rate(rate: Fraction) -> Fraction:
    """The rate of MPEG-2 video, frames a second, that shows frames of `rate` most evenly."""

    def unevenness(candidate: Fraction) -> tuple[Fraction, Fraction]:
        repeats = max(1, round(candidate / rate))
        return abs(candidate / repeats / rate - 1), candidate

    return min(_MPEG_RATES, key=unevenness)


def _errors() -> tuple[type[Exception], ...]:
    return (open_av().error.FFmpegError, OSError, ValueError)
