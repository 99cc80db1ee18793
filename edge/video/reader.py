"""Reading video files: each frame with its presentation time, upright, and what was lost."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from edge.errors import SourceError
from edge.video.clock import Clock
from edge.video.containers import (
    open_av,
    open_binary,
    open_container,
    overflow_of,
    video_stream,
)
from edge.video.display import Display, Frame
from edge.video.losses import UNKNOWN_FRAMES, Losses
from edge.video.transport import Recent, is_damaged
from edge.video.truncation import Extent, extent_of

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.video.stream import VideoStream

_WITHOUT_TIMES = ("dirac",)  # formats whose frames are numbered, in a unit that means nothing
_OF_FIELDS = ("gxf",)  # formats whose average rate is that of fields
# Packets that begin a stream of Theora (its specification, 6.1) or VP8, also within joined files.
_OGG_HEADERS = (b"\x80theora", b"\x81theora", b"\x82theora", b"OVP80")
_FALLBACK_RATE = 25.0  # frames a second, where the file gives none
_MAX_RATE = 1000.0  # frames a second; files with more have a broken header
_MAX_STEADY_RATE = 120.0  # frames a second, of copies in a format without times
_VARIABLE = 1.05  # nominal over mean rate, from which on the rate is taken to vary
_MAX_FAILURES = 100  # of reading, in succession, before the rest of a damaged file is given up


class Video:
    """An open video file.

    Attributes:
        name: its path.
        rate: frames a second, on average.
        count: about the number of frames, by the file's header; 0 where it gives none.
        losses: what could not be read so far.
    """

    def __init__(self, path: str | Path, file: BinaryIO | None = None) -> None:
        """Open a file.

        Args:
            path: of the file.
            file: to read instead of the one at `path`, for example standard input; it need not be
                seekable, and `read` is all it needs.

        Raises:
            MissingExtra: PyAV is not installed.
            SourceError: the file cannot be opened as a video.
        """
        open_av()
        self.name = str(path)
        self._file: BinaryIO | Recent = Recent(file) if file else open_binary(Path(path))
        try:
            extent = Extent() if isinstance(self._file, Recent) else extent_of(self._file)
            self._container = open_container(self._file, self.name)
        except BaseException:
            self._file.close()
            raise
        self._stream = video_stream(self._container, self.name)
        self._stream.thread_type = "AUTO"
        self.rate = _sane_rate(self._frame_rate)
        count = self._stream.frames or round(self._header_seconds * self.rate)
        self.count = count if count < UNKNOWN_FRAMES else 0
        self.losses = Losses(self._container, self._stream, self.rate, extent)
        self._clock = Clock(1 / self.rate, overflow_of(self._container))
        self._display = Display(self._stream)
        self._was_flagged = False  # the last packet, as damaged

    def __del__(self) -> None:
        """Close a file of which no frame was read."""
        if hasattr(self, "_container"):
            self.close()

    @property
    def _frame_rate(self) -> Fraction | None:
        average, guessed = self._stream.average_rate, self._stream.guessed_rate
        counts_fields = self._container.format.name in _OF_FIELDS
        return guessed or average if counts_fields else average or guessed

    @property
    def steady_rate(self) -> float:
        """Frames a second of a copy in a format without times, which repeats frames."""
        nominal = float(self._stream.guessed_rate or 0)
        return nominal if self.rate * _VARIABLE < nominal <= _MAX_STEADY_RATE else self.rate

    @property
    def clock(self) -> Clock:
        """Of the frames that were read so far."""
        return self._clock

    @property
    def _header_seconds(self) -> float:
        seconds = (self._container.duration or 0) / 1e6
        overflow = overflow_of(self._container)
        # Where the time stamps restart, FFmpeg takes them for a day later.
        return 0.0 if overflow and seconds > overflow / 2 else max(0.0, seconds)

    def close(self) -> None:
        """Close the file."""
        self._container.close()
        self._file.close()

    def frames(
        self, every: int = 1, start: float = 0.0, stop: float | None = None
    ) -> Generator[Frame, None, None]:
        """Read the frames, once; the file is closed at the end.

        Frames that the decoder marks as damaged are skipped and counted in `losses`.

        Args:
            every: 2 gives every second frame, and so on.
            start: seconds after the first frame to skip.
            stop: seconds after the first frame at which to end; None for the end of the file.

        Raises:
            SourceError: not one frame can be decoded, or it ends before `start`.
        """
        number = chosen = 0
        seconds = 0.0
        try:
            for decoded in self._decode():
                seconds = self._clock.seconds(self._stamp(decoded), self._stream.time_base)
                if stop is not None and seconds >= stop:
                    return
                if seconds >= start:
                    if chosen % every == 0:
                        yield Frame(number, seconds, self._display.image(decoded))
                    chosen += 1
                number += 1
            self.losses.finish()
            if not chosen:
                raise self._nothing_read(number, seconds, start)
        finally:
            self.close()

    def _stamp(self, frame: VideoFrame) -> int | None:
        """The time stamp of a frame; .avi has only those of decoding, which rise alike."""
        form = self._container.format.name
        return frame.dts if form == "avi" else None if form in _WITHOUT_TIMES else frame.pts

    def _nothing_read(self, count: int, seconds: float, start: float) -> SourceError:
        if not count:
            return SourceError(f"{self.name}: no frame can be decoded")
        return SourceError(
            f"{self.name}: ends after {seconds + 1 / self.rate:.1f} s, before --start {start:g}"
        )

    def _decode(self) -> Iterator[VideoFrame]:
        """The frames that can be decoded without damage, in presentation order."""
        for packet in self._packets():
            for frame in self._decode_packet(packet):
                if frame.is_corrupt:
                    self.losses.count_lost()
                else:
                    self.losses.count_read()
                    yield frame

    def _packets(self) -> Iterator[Packet[VideoStream] | None]:
        """The packets of the video stream, and None at the end."""
        av = open_av()
        failures = 0
        while failures < _MAX_FAILURES:
            try:
                for packet in self._container.demux():
                    failures = 0
                    self.losses.count_packet(packet)
                    if packet.stream is self._stream and packet.size:
                        yield cast("Packet[VideoStream]", packet)
                break
            except (av.error.FFmpegError, IndexError):  # IndexError: a stream that is not there
                failures += 1
        yield None

    def _decode_packet(self, packet: Packet[VideoStream] | None) -> list[VideoFrame]:
        av = open_av()
        if packet is not None and bytes(memoryview(packet)[:7]).startswith(_OGG_HEADERS):
            return []
        if packet is not None and self._is_cut(packet):  # half a frame may look like a whole
            self.losses.count_lost()
            return []
        try:
            return self._stream.codec_context.decode(packet)
        except EOFError:
            return []
        except av.error.FFmpegError:
            self.losses.count_lost()
            return []

    def _is_cut(self, packet: Packet[VideoStream]) -> bool:
        """Whether a packet is not whole; of transport streams the flag may mean the one before."""
        is_flagged, was_flagged = packet.is_corrupt, self._was_flagged
        self._was_flagged = is_flagged
        if not (is_flagged or was_flagged) or self._container.format.name != "mpegts":
            return is_flagged
        is_cut = is_damaged(self._file, packet.pos)
        return is_flagged if is_cut is None else is_cut


def _sane_rate(rate: Fraction | None) -> float:
    value = float(rate or 0)
    return value if 0 < value < _MAX_RATE else _FALLBACK_RATE
