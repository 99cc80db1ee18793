"""Files that are complete or absent, and the files of the package itself."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

TEMPORARY_PREFIX = ".part-"


def temporary_path(path: Path) -> Path:
    """A free name beside `path`, with the same suffix, from which writers choose their format."""
    return path.with_name(f"{TEMPORARY_PREFIX}{os.urandom(8).hex()}{path.suffix}")


def name_and_hash(path: Path) -> str:
    """The name of a file and a hash of its content, which says whether it is the same one."""
    return f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"


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


def package_folder(*parts: str) -> Path:
    """A folder of the package, such as `edge/models`.

    Of a package that is imported from a zip file it is unpacked into a temporary folder, which is
    removed at the end of the process: onnxruntime and web servers open files by their paths.

    Args:
        parts: names of the folder and of those around it, without `edge`.
    """
    folder = Path(__file__).parent.joinpath(*parts)
    return folder if folder.is_dir() else _unpacked(folder, parts)


@cache
def _unpacked(folder: Path, parts: tuple[str, ...]) -> Path:
    """A copy of a folder that is no folder on disk; `folder` itself if there is none at all."""
    import atexit  # few programs are in a zip file, and these imports take milliseconds
    import shutil
    import tempfile
    from importlib import resources

    packed = resources.files("edge").joinpath(*parts)
    if not packed.is_dir():
        return folder
    copy = Path(tempfile.mkdtemp(prefix="edge-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    _unpack(packed, copy)
    return copy


def _unpack(packed: Any, folder: Path) -> None:
    for entry in packed.iterdir():
        target = folder / entry.name
        if entry.is_dir():
            target.mkdir()
            _unpack(entry, target)
        else:
            target.write_bytes(entry.read_bytes())
