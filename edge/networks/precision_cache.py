"""The time of int8 over that of fp32 on this computer: measured once, kept in the user's cache.

One small JSON file maps a hash of what the ratio depends on (processor, onnxruntime, threads and
the bytes of the model files) to it. It may be deleted at any time; where it cannot be read or
written, the ratio is measured again at every start.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path

import onnxruntime

from edge.files import write_atomically
from edge.networks.cpu import processor_name

VARIABLE = "EDGE_CACHE"  # a folder to use instead; empty: no cache
_FILE = "precision.json"
_MAX_ENTRIES = 64  # the newest are kept
_DIGITS = 3


def cache_key(files: Sequence[Path], threads: int) -> str:
    """A hash of everything that a ratio of model files depends on.

    Raises:
        OSError: a file cannot be read.
    """
    digest = hashlib.sha256()
    keys = (processor_name(), platform.machine(), onnxruntime.__version__, str(threads))
    for key in keys:
        digest.update(key.encode() + b"\0")
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def load_ratio(key: str) -> float | None:
    """The ratio that was measured for `key`, or None."""
    path = _path()
    return None if path is None else _read(path).get(key)


def store_ratio(key: str, ratio: float) -> None:
    """Store a ratio; a folder that cannot be written is ignored."""
    path = _path()
    if path is None:
        return
    kept = {**_read(path), key: round(ratio, _DIGITS)}
    text = json.dumps(dict(list(kept.items())[-_MAX_ENTRIES:]), indent=1)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_atomically(path) as part:
            part.write_text(text, encoding="utf-8")


def _read(path: Path) -> dict[str, float]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(kept, dict):
        return {}
    return {key: ratio for key, ratio in kept.items() if isinstance(ratio, float)}


def _path() -> Path | None:
    if (folder := os.environ.get(VARIABLE)) is not None:
        return Path(folder) / _FILE if folder else None
    base = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "edge-keypoints" / _FILE
    except RuntimeError:
        return None  # this user has no home
