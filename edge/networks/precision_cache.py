"""Which precision was faster on this computer: measured once, kept in the user's cache folder.

One small JSON file, from what the choice depends on (processor, onnxruntime, threads and the bytes
of the model files) to the choice. It may be deleted at any time; where it cannot be read or
written, the choice is measured again at every start.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Sequence
from pathlib import Path

import onnxruntime

from edge.networks.cpu import processor_name

VARIABLE = "EDGE_CACHE"  # a folder to use instead; empty: nothing is kept
_FILE = "precision.json"
_MOST = 64  # entries that are kept, the newest


def key_of(files: Sequence[Path], threads: int) -> str:
    """What a choice between model files depends on, as hexadecimal digits.

    Raises:
        OSError: a file cannot be read.
    """
    digest = hashlib.sha256()
    facts = (processor_name(), platform.machine(), onnxruntime.__version__, str(threads))
    for fact in facts:
        digest.update(fact.encode() + b"\0")
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def recall(key: str) -> str | None:
    """The choice that was made for `key`, or None."""
    path = _path()
    return None if path is None else _read(path).get(key)


def remember(key: str, choice: str) -> None:
    """Keep a choice; where that is not possible, nothing happens."""
    path = _path()
    if path is None:
        return
    kept = {**_read(path), key: choice}
    text = json.dumps(dict(list(kept.items())[-_MOST:]), indent=1)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Several processes may do so at once: each writes a file of its own and puts it there.
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            file.write(text)
        os.replace(file.name, path)


def _read(path: Path) -> dict[str, str]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _path() -> Path | None:
    if (folder := os.environ.get(VARIABLE)) is not None:
        return Path(folder) / _FILE if folder else None
    base = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "edge-keypoints" / _FILE
    except RuntimeError:
        return None  # this user has no home
