"""What could not be read of a video file: damaged frames, and an end that is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer
    from av.video.stream import VideoStream

    from edge.video.truncation import Extent

# Formats whose headers say how long the film is; of others libavformat estimates it from time
# stamps, rates or sizes, which says nothing of an end that is missing.
_WITH_DURATION = (
    "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "asf", "flv", "mxf", "gxf", "ivf", "rm",
    "wtv",
)  # fmt: skip
_WITH_INDEX = ("mov,mp4,m4a,3gp,3g2,mj2", "avi")  # of every frame; others list fields, or some
UNKNOWN_FRAMES = 1 << 30  # from which on the number in an .avi file's header is a placeholder
_TOLERANCE_S = 0.25  # by which headers are longer than their streams
_TOLERANCE_FRAMES = 2.5  # likewise, where frames are longer


class Losses:
    """Counts the frames of a file that were read and those that could not be.

    A missing end shows where the file has an index of all frames (.mp4, .mov, .avi) or says how
    long it is (.mkv, .webm, .flv, .wmv, .mxf, .gxf, .rm, .wtv, .ivf); transport streams, .mpg,
    .ogv, .nut, .dv and raw streams say neither. Damage shows where the decoder notices it.

    Attributes:
        read: frames that were decoded.
    """

    def __init__(
        self, container: InputContainer, stream: VideoStream, rate: float, extent: Extent
    ) -> None:
        """Count frames.

        Args:
            container: of the file.
            stream: of it, whose frames are read.
            rate: frames a second, about.
            extent: of the file, by its headers.
        """
        self.read = 0
        self._lost = 0
        self._total = 0  # after `finish`, if frames are missing
        self._packets = 0
        self._discarded = 0  # packets that are only there to decode others
        self._end_s = 0.0
        self._stream = stream
        self._rate = rate
        self._extent = extent
        form = container.format.name
        self._has_index = form in _WITH_INDEX
        # Some formats count the duration from 0, others from the first time stamp: the earlier end
        # is expected. Of .avi libavformat corrects it by the file's size; the number of frames in
        # the header stays.
        self._expected_end_s = extent.seconds
        if form in _WITH_DURATION:
            self._expected_end_s = max(extent.seconds, (container.duration or 0) / 1e6)
        if form == "avi":
            self._expected_end_s = max(self._expected_end_s, stream.frames / rate)
        if stream.frames >= UNKNOWN_FRAMES:
            self._expected_end_s = 0.0

    def count_packet(self, packet: Packet[Any]) -> None:
        """Count a packet of any stream of the file."""
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is not None and packet.time_base:
            end = (stamp + (packet.duration or 0)) * packet.time_base
            self._end_s = max(self._end_s, float(end))
        if packet.stream is self._stream and packet.size:
            self._packets += 1
            self._discarded += packet.is_discard

    def count_read(self) -> None:
        """Count a frame that was decoded."""
        self.read += 1

    def count_lost(self) -> None:
        """Count a frame that is damaged; a file may begin with frames that need earlier ones."""
        self._lost += self.read > 0

    def finish(self) -> None:
        """Look for a missing end; called at the end of the file, before it is closed."""
        indexed = len(self._stream.index_entries) if self._has_index else 0
        missing_s = self._expected_end_s - self._end_s
        missing = max(0, indexed - self._packets)
        tolerance_s = max(_TOLERANCE_S, _TOLERANCE_FRAMES / self._rate)
        if self._extent.is_truncated or missing_s > tolerance_s:
            missing = max(missing, round(missing_s * self._rate))
        if self._extent.is_truncated and not self._expected_end_s:
            missing = max(missing, 1)  # how many is not known
        if missing or self._lost:
            # What the decoder held when it met the damage is lost, too.
            self._total = max(self.total + missing, indexed - self._discarded)

    @property
    def total(self) -> int:
        """About how many frames the file had, as far as it was read; `read` if none is lost."""
        return self._total or self.read + self._lost
