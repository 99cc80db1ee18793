"""The errors `edge` raises on purpose, and what is needed to word them.

Every one is also the builtin that a caller would expect:

    EdgeError(Exception)
    ├── ImageError(EdgeError, ValueError)      an image cannot be decoded or used
    ├── ModelError(EdgeError, ValueError)      a model file is missing or breaks the contract
    ├── SourceError(EdgeError, OSError)        a file or folder cannot be opened or written
    └── MissingExtra(EdgeError, ImportError)   an optional dependency is absent
"""

from __future__ import annotations


class EdgeError(Exception):
    """The base of every error that `edge` raises on purpose."""


class ImageError(EdgeError, ValueError):
    """An image cannot be decoded, or an array has the wrong shape or dtype.

    Attributes:
        reason: what is wrong, without the name of the image.
    """

    def __init__(self, message: str, reason: str | None = None) -> None:
        """`message` names the image; `reason` does not, and defaults to the message."""
        super().__init__(message)
        self.reason = message if reason is None else reason


class ModelError(EdgeError, ValueError):
    """A model file is missing, corrupt, or does not keep the contract."""


class SourceError(EdgeError, OSError):
    """A file or folder cannot be opened or written."""


class MissingExtra(EdgeError, ImportError):
    """An optional dependency is needed and not installed."""


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or the name of its class where it has none."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
