"""Files on this machine or in object storage, opened through fsspec, and their errors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import fsspec

from edge.errors import EdgeError, MissingExtra, SourceError, first_line


def is_remote(address: str) -> bool:
    """Whether an address has a scheme, as `s3://` has; a path on this machine has none."""
    return "://" in address


def open_address(address: str) -> tuple[Any, str]:
    """Open the file system of an address.

    Args:
        address: a path, or an address with a scheme that fsspec knows.

    Returns:
        The fsspec file system, and the path within it.

    Raises:
        MissingExtra: the scheme needs a package that is not installed.
        SourceError: the scheme is unknown, or the address is incomplete.
    """
    with storage_errors(f"{address}: cannot be opened"):
        try:
            files, path = fsspec.url_to_fs(address)
        except ImportError as error:
            raise MissingExtra(f"{address}: {describe(error)}") from error
    return files, path


@contextlib.contextmanager
def storage_errors(failure: str, advice: str = "") -> Iterator[None]:
    """Convert whatever a storage client or pyarrow raises in the block to `SourceError`.

    Clients of fsspec share no base class of errors, and an incomplete address gives a TypeError, so
    every class is converted. Therefore a block holds calls into these libraries and nothing else;
    names that are not defined and failed assertions, which no input can cause, are not converted.

    Args:
        failure: what failed, for the message: "{failure} ({cause}){advice}".
        advice: what to do next, for the message.

    Raises:
        SourceError: the block raised an error.
    """
    try:
        yield
    except (EdgeError, NameError, AssertionError):
        raise
    except Exception as error:
        raise SourceError(f"{failure} ({describe(error)}){advice}") from error


def describe(error: BaseException) -> str:
    """The cause of an error in one line: the operating system's own description if it has one."""
    if isinstance(error, FileNotFoundError):  # clients often give no more than the path
        return "no such file or folder"
    description = getattr(error, "strerror", None)
    return first_line(OSError(description)) if description else first_line(error)
