"""Videos at addresses: live streams, which are connected to again, and files of web servers."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from edge.errors import SourceError
from edge.image import Rgb
from edge.video.clock import Clock
from edge.video.containers import open_av, open_input, video_stream
from edge.video.display import Display, Frame
from edge.video.live import LiveFrames

if TYPE_CHECKING:
    from av.container import InputContainer

SCHEMES = ("rtsp", "rtsps", "http", "https")
# What an address may lead to, as a play list of a web server does: never to a file.
_PROTOCOLS = "rtsp,rtsps,http,https,httpproxy,tcp,tls,udp,rtp,srtp,crypto"
_TIMEOUTS_S = (10.0, 5.0)  # of connecting, and of waiting for data
_GIVE_UP_S = 30.0  # without an image, after which a live stream counts as ended
_FIRST_PAUSE_S, _MAX_PAUSE_S = 0.5, 8.0  # between two attempts to connect


def is_address(text: str) -> bool:
    """Whether a text is an address of a video, by its scheme."""
    scheme, separator, _ = text.partition("://")
    return bool(separator) and scheme.lower() in SCHEMES


def public_name(address: str) -> str:
    """An address without the user's name and password, for results and messages."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


class Stream:
    """A video at an address.

    Attributes:
        name: the address without user name and password.
        is_live: whether it has no known length: images are dropped rather than queued, and a lost
            connection is made again. Others are read as a file is, once.
    """

    def __init__(self, address: str) -> None:
        """Connect.

        Raises:
            MissingExtra: PyAV is not installed.
            SourceError: there is no connection, or no video.
        """
        self.name = public_name(address)
        self._address = address
        self._container: InputContainer | None = self._connect()
        self.is_live = not self._container.duration
        self._live = LiveFrames(self.name, self._images)

    @property
    def dropped(self) -> int:
        """Images that were dropped so far."""
        return self._live.dropped

    def frames(self) -> Generator[Frame, None, None]:
        """Read the frames, once; of a live stream the newest, with the time since the first call.

        Raises:
            SourceError: it gives no image, or a live stream gives none for 30 s.
        """
        try:
            yield from self._live.frames() if self.is_live else self._all_frames()
        finally:
            self._close()

    def _all_frames(self) -> Iterator[Frame]:
        assert self._container is not None
        stream = video_stream(self._container, self.name)
        clock, display, number = Clock(1 / 25), Display(stream), 0
        try:
            for frame in self._container.decode(stream):
                time_s = clock.seconds(frame.pts, stream.time_base)
                yield Frame(number, time_s, display.image(frame))
                number += 1
        except _errors() as error:
            raise SourceError(f"{self.name}: ended after {number} frames ({error})") from error
        if not number:
            raise SourceError(f"{self.name}: gives no image")

    def _images(self, stopped: threading.Event) -> Iterator[Rgb]:
        """The images of a live stream, through lost connections."""
        last = time.monotonic()
        while not stopped.is_set():
            try:
                if self._container is not None:
                    stream = video_stream(self._container, self.name)
                    display = Display(stream)
                    for frame in self._container.decode(stream):
                        last = time.monotonic()
                        yield display.image(frame)
            except _errors():
                pass  # connected to again
            self._close()
            self._reconnect(stopped, last)

    def _reconnect(self, stopped: threading.Event, last: float) -> None:
        """Connect again, until the source has given no image for too long."""
        pause_s = _FIRST_PAUSE_S
        while self._container is None and not stopped.wait(pause_s):
            if time.monotonic() - last > _GIVE_UP_S:
                raise SourceError(f"{self.name}: no image for {_GIVE_UP_S:g} s")
            try:
                self._container = self._connect()
            except SourceError:
                pause_s = min(2 * pause_s, _MAX_PAUSE_S)

    def _connect(self) -> InputContainer:
        options = {"protocol_whitelist": _PROTOCOLS, "rtsp_transport": "tcp"}
        try:
            container = open_input(self._address, options=options, timeout=_TIMEOUTS_S)
        except _errors() as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise SourceError(f"{self.name}: no connection ({reason})") from error
        video_stream(container, self.name)
        return container

    def _close(self) -> None:
        if self._container is not None:
            self._container.close()
            self._container = None


def _errors() -> tuple[Any, ...]:
    return (open_av().error.FFmpegError, OSError, ValueError)
