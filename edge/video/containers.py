"""Opening video files and streams with PyAV (extra `video`).

FFmpeg takes names apart: what is before a colon is a protocol, a `%` begins a pattern. It is
therefore given open files and never their names, and a file may not refer to other files or to
addresses, as play lists do.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from edge.errors import SourceError
from edge.extras import require

if TYPE_CHECKING:
    from pathlib import Path

    from av.container import InputContainer
    from av.video.stream import VideoStream

    from edge.video.transport import Recent


# Seconds after which the time stamps of MPEG's streams restart (ISO/IEC 13818-1, 2.4.3.7).
_OVERFLOW_S = Fraction(1 << 33, 90_000)
_OVERFLOWING = ("mpegts", "mpeg")


def open_av() -> Any:
    """PyAV.

    Raises:
        MissingExtra: it is not installed.
    """
    return require("av", "video", "reading videos")


def open_binary(path: Path) -> BinaryIO:
    """A file that is open for reading.

    Raises:
        SourceError: there is no such file, or it cannot be opened.
    """
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"{path}: cannot be opened ({reason})") from error


def open_container(file: BinaryIO | Recent, name: str) -> InputContainer:
    """The container in an open file.

    Raises:
        SourceError: it is no video.
    """
    try:
        return open_input(file, options={"protocol_whitelist": "none"})
    except (open_av().error.FFmpegError, OSError, ValueError) as error:
        raise SourceError(f"{name}: cannot be opened as a video") from error


def open_input(file: BinaryIO | Recent | str, **settings: Any) -> InputContainer:
    """A container that `av.open` opens for reading, whatever the encoding of its texts.

    Args:
        file: a file, or the address of a stream.
        settings: of `av.open`.
    """
    av = open_av()
    if int(av.__version__.split(".")[0]) < 19:  # later ones keep such texts by themselves
        settings["metadata_errors"] = "replace"
    container: InputContainer = av.open(file, **settings)
    return container


def video_stream(container: InputContainer, name: str) -> VideoStream:
    """The stream of a container that players show.

    Raises:
        SourceError: it has none, or one in an unknown format.
    """
    stream = container.streams.best("video")
    if stream is None:
        raise SourceError(f"{name}: has no video, only sound or text")
    if getattr(stream, "codec_context", None) is None:
        raise SourceError(f"{name}: the format of its video stream is unknown; convert it first")
    return cast("VideoStream", stream)


def overflow_of(container: InputContainer) -> Fraction | None:
    """The seconds after which a container's time stamps restart; None if they do not."""
    return _OVERFLOW_S if container.format.name in _OVERFLOWING else None
