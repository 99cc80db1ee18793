"""The sound of a video file, copied packet by packet into the annotated copy."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from edge.video.containers import open_av, open_binary, open_container

if TYPE_CHECKING:
    from av import Packet
    from av.audio.stream import AudioStream
    from av.container import OutputContainer

    from edge.video.reader import Video


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
        self._start = 0.0  # the first copied frame's time by the file's clock, seconds
        self._packets: Iterator[Packet[AudioStream]] = iter(())
        self._next: Packet[AudioStream] | None = None

    def begin(self, output: OutputContainer, time: float) -> None:
        """Add the audio streams to a copy whose first frame is shown at `time` in the file."""
        for stream in self._container.streams.audio:
            context = getattr(stream, "codec_context", None)  # None of an unknown format
            codec = context.name if context else "unknown"
            if codec in output.supported_codecs:
                self._targets[stream.index] = output.add_stream_from_template(stream)
            else:
                self.dropped.append(codec)
        self._start = self._video.origin + time
        self._packets = self._read()
        self._next = next(self._packets, None)

    def copy_until(self, output: OutputContainer, time: float | None) -> None:
        """Copy the packets that are heard before `time`, seconds of the copy; None for the rest."""
        while self._next is not None and (time is None or _seconds(self._next) < time):
            output.mux(self._next)
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Close the file."""
        self._container.close()
        self._file.close()

    def _read(self) -> Iterator[Packet[AudioStream]]:
        """The packets of the copy, by the copy's clock."""
        av = open_av()
        if not self._targets:
            return
        end = None if self._stop is None else self._video.origin + self._stop - self._start
        try:
            for packet in self._container.demux(self._container.streams.audio):
                target = self._targets.get(packet.stream.index)
                if target is None or packet.dts is None or packet.is_corrupt:
                    continue
                shift = round(Fraction(self._start) / packet.time_base)
                packet.dts -= shift
                packet.pts = packet.dts if packet.pts is None else packet.pts - shift
                if packet.pts < 0:
                    continue
                if end is not None and _seconds(packet) >= end:
                    return
                packet.stream = target
                yield packet
        except (av.error.FFmpegError, IndexError):
            return  # damaged from here on, which reading the frames reports


def _seconds(packet: Packet[AudioStream]) -> float:
    return float((packet.pts or 0) * packet.time_base)
