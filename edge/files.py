"""Files that are complete or absent: written under a temporary name, then renamed into place."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

TEMPORARY_PREFIX = ".part-"


def temporary_path(path: Path) -> Path:
    """A free name beside `path`, with the same suffix, from which writers choose their format."""
    return path.with_name(f"{TEMPORARY_PREFIX}{os.urandom(8).hex()}{path.suffix}")


@contextlib.contextmanager
def write_atomically(path: Path) -> Iterator[Path]:
    """Replace a file in one step: readers see the old content or all of the new.

    Args:
        path: the file to create or replace.

    Yields:
        A temporary path in the same folder, to be written inside the block. It is renamed to
        `path` at the end of the block; if the block raises, it is removed and `path` is unchanged.

    Raises:
        OSError: the temporary file cannot be renamed.
    """
    part = temporary_path(path)
    try:
        yield part
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise
