"""Description of the machine and software that a benchmark ran on."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from edge.networks.cpu import cpu_lines, processor_name

_FREQUENCY = Path("/sys/devices/system/cpu/cpu0/cpufreq")
_THERMAL = Path("/sys/class/thermal")
_PACKAGES = ("numpy", "onnxruntime", "pillow", "opencv-python-headless", "av")
# Features that decide how fast float32 and 8-bit products are.
_FEATURES = (
    "avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "avx512_bf16",
    "asimd", "asimdhp", "asimddp", "i8mm", "sve", "bf16",
)  # fmt: skip


def describe_machine(threads: int) -> dict[str, Any]:
    """Processor, system, versions, threads, commit and time, as JSON values; None where unknown."""
    return {
        "processor": processor_name(),
        "features": _features(),
        "cores": os.cpu_count(),
        "governor": _read(_FREQUENCY / "scaling_governor"),
        "memory_mb": _memory_mb(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "release": platform.release(),
        "board": _read(Path("/proc/device-tree/model")),
        "threads": threads,
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
        "commit": _commit(),
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def describe_heat() -> dict[str, Any]:
    """Current temperature, clock rate and throttling; None where unknown.

    Returns:
        `temperature_c` of the hottest zone, `clock_mhz` of the first core, `throttled`: the status
        bits of a Raspberry Pi's firmware, hexadecimal.
    """
    zones = [_read(path / "temp") for path in sorted(_THERMAL.glob("thermal_zone*"))]
    degrees = [int(zone) / 1000 for zone in zones if zone and zone.lstrip("-").isdecimal()]
    clock = _read(_FREQUENCY / "scaling_cur_freq")
    return {
        "temperature_c": max(degrees, default=None),
        "clock_mhz": int(clock) / 1000 if clock else None,
        "throttled": _throttled(),
    }


def _throttled() -> str | None:
    output = _output(["vcgencmd", "get_throttled"])
    return output.partition("=")[2] if output else None


def _features() -> list[str]:
    words = {word for line in cpu_lines() for word in line.split()}
    return [feature for feature in _FEATURES if feature in words]


def _memory_mb() -> int | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6)
    except (ValueError, OSError, AttributeError):
        return None  # not a POSIX system


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    return _output(["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"])


def _output(command: list[str]) -> str | None:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        return None
