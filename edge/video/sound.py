"""The sound of a video file, copied packet by packet into the annotated copy."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.video.containers import open_av, open_binary, open_container, overflow_of
from edge.video.transport import is_damaged

if TYPE_CHECKING:
    from av import Packet
    from av.audio.stream import AudioStream
    from av.container import OutputContainer

    from edge.video.clock import Clock
    from edge.video.reader import Video

# The codecs of formats of which FFmpeg knows no table.
_HELD = {
    "mpegts": {"aac", "mp2", "mp3", "ac3", "eac3", "opus", "dts"},
    "mpeg": {"mp2", "mp3", "ac3", "dts"},
    "ogg": {"vorbis", "opus", "flac", "speex"},
}
_MAX_STEP_BACK_S = 0.5  # before the end of the last packet, from which on the times restart
_MAX_PART_GAP_S = 1.0  # between the sound of two parts of a joined file


class Sound:
    """The audio streams of a file, from the time of the first frame that is copied.

    Attributes:
        dropped: the audio codecs that the copy's format cannot hold.
    """

    def __init__(self, video: Video, stop: float | None = None) -> None:
        """Copy the sound of `video` up to `stop` seconds after its first frame; None for all.

        Raises:
            SourceError: the file cannot be opened.
        """
        self.dropped: list[str] = []
        self._video = video
        self._stop = stop
        self._file = open_binary(Path(video.name))
        self._container = open_container(self._file, video.name)
        self._targets: dict[int, AudioStream] = {}  # by index of the stream
        self._clocks: dict[int, SoundClock] = {}  # likewise
        self._last_ticks: dict[int, int] = {}  # likewise, of the last packet that was copied
        self._start = 0.0  # the first copied frame's time, seconds
        self._packets: Iterator[Any] = iter(())  # whose times are not None
        self._next: Any = None
        self._shift: Fraction | None = None  # of the next packet

    def begin(self, output: OutputContainer, time: float) -> None:
        """Add the audio streams to a copy whose first frame is shown at `time` in the file."""
        for stream in self._container.streams.audio:
            context = getattr(stream, "codec_context", None)  # None of an unknown format
            codec = context.name if context else "unknown"
            if codec in _HELD.get(output.format.name, output.supported_codecs):
                self._targets[stream.index] = output.add_stream_from_template(stream)
                self._clocks[stream.index] = SoundClock(
                    self._video.clock, overflow_of(self._container)
                )
            else:
                self.dropped.append(codec)
        self._start = time
        self._packets = self._read()
        self._next = next(self._packets, None)

    def copy_until(self, output: OutputContainer, time: float | None) -> None:
        """Copy the packets that are heard before `time`, seconds of the copy; None for the rest."""
        stop = None if self._stop is None else self._stop - self._start
        while self._next is not None:
            packet = self._next
            shift = self._shift_of(packet, is_last=time is None)
            if shift is None:
                return
            heard = float(packet.pts * packet.time_base + shift)
            if time is not None and heard >= time:
                return
            if stop is not None and heard >= stop:
                self._next = None
                return
            if heard >= 0:
                self._copy(output, packet, round(shift / packet.time_base))
            self._next, self._shift = next(self._packets, None), None

    def close(self) -> None:
        """Close the file."""
        self._container.close()
        self._file.close()

    def _copy(self, output: OutputContainer, packet: Any, ticks: int) -> None:
        index = packet.stream.index
        packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
        # Where files were joined, the sound of one may end after that of the next begins.
        if packet.dts > self._last_ticks.get(index, -1):
            self._last_ticks[index] = packet.dts
            packet.stream = self._targets[index]
            output.mux(packet)

    def _shift_of(self, packet: Any, is_last: bool) -> Fraction | None:
        """From the packet's time to that of the copy, seconds; None if it is not known yet."""
        if self._shift is None:
            own = packet.pts * packet.time_base
            length = (packet.duration or 0) * packet.time_base
            shift = self._clocks[packet.stream.index].shift(own, length, is_last)
            self._shift = None if shift is None else shift - Fraction(self._start)
        return self._shift

    def _read(self) -> Iterator[Packet[AudioStream]]:
        """The packets that are whole."""
        av = open_av()
        if not self._targets:
            return
        is_transport = self._container.format.name == "mpegts"
        try:
            for packet in self._container.demux(self._container.streams.audio):
                if packet.stream.index not in self._targets or packet.dts is None:
                    continue
                if packet.is_corrupt:
                    is_cut = is_damaged(self._file, packet.pos) if is_transport else True
                    if is_cut is not False:
                        continue
                packet.pts = packet.dts if packet.pts is None else packet.pts
                yield packet
        except (av.error.FFmpegError, IndexError):
            return  # damaged from here on, which reading the frames reports


class SoundClock:
    """Puts a stream of sound on the clock of the frames, also where files were joined."""

    def __init__(self, frames: Clock, overflow: Fraction | None) -> None:
        """Follow the clock of the frames, which are read ahead of the sound.

        Args:
            frames: the clock.
            overflow: as the clock's.
        """
        self._frames = frames
        self._overflow = overflow
        self._shift: Fraction | None = None
        self._part = 0  # of the file, which is joined of parts whose times restart
        self._last = Fraction(0)  # time of the last packet by the file's clock
        self._end: Fraction | None = None  # of the last packet by the clock of the frames

    def shift(self, own: Fraction, length: Fraction, is_last: bool) -> Fraction | None:
        """From the time of the next packet by the file's clock to that of the frames, seconds.

        Args:
            own: its time by the file's clock, seconds.
            length: of it, seconds.
            is_last: whether all frames were read.

        Returns:
            None if the frames have not come to this part of the file yet: ask again.
        """
        if self._shift is None:
            self._shift = self._frames.shifts[0]
        overflown = Fraction(0)
        if self._end is not None and self._overflow and own > self._last + self._overflow / 2:
            overflown = self._overflow
        own -= overflown
        if self._end is not None and own + self._shift < self._end - _MAX_STEP_BACK_S:
            part = self._part_at(own, self._end)
            if part is None and not is_last:
                return None
            self._part = self._part if part is None else part
            self._shift = self._end - own if part is None else self._frames.shifts[part]
        self._last, self._end = own, own + self._shift + length
        return self._shift - overflown

    def _part_at(self, own: Fraction, end: Fraction) -> int | None:
        """The part whose sound begins at `own`, where that of the part before it ends at `end`."""
        shifts = self._frames.shifts
        for part in range(self._part + 1, len(shifts)):
            if abs(own + shifts[part] - end) < _MAX_PART_GAP_S:
                return part
        return None
