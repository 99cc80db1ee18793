"""What the system says of its processor."""

from __future__ import annotations

import platform
from pathlib import Path

_CPU_FILE = Path("/proc/cpuinfo")


def processor_name() -> str:
    """The model's name, or the architecture where nothing else is told."""
    for line in cpu_lines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model"):
            return value.strip()
    return platform.processor() or platform.machine()


def cpu_lines() -> list[str]:
    """The lines of Linux's `/proc/cpuinfo`; none elsewhere."""
    try:
        return _CPU_FILE.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
