"""Milliseconds of fresh processes in a warm cache, medians, in turns."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np

from benchmarks.tracking import SAMPLE

_STARTS = 9


def measure_starts() -> dict[str, float]:
    """Python alone, importing `edge`, opening its models, and the first result of the command.

    Returns:
        `python_ms` from the start of a process to its end; `import_ms` and `open_ms`, what
        importing and opening take of it; `first_result_ms`, of the command on the sample.
    """
    commands = {
        "python_ms": ["-c", "pass"],
        "import_ms": ["-c", "import edge"],
        "open_ms": ["-c", "import edge; edge.FaceKeypoints(precision='fp32')"],
        "first_result_ms": ["-m", "edge.run", str(SAMPLE), "--no-picture", "--precision", "fp32"],
    }
    spent: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(_STARTS + 1):
        for name, command in commands.items():
            start = time.perf_counter_ns()
            subprocess.run([sys.executable, *command], check=True, capture_output=True)
            spent[name].append((time.perf_counter_ns() - start) / 1e6)
    middle = {name: float(np.median(ms[1:])) for name, ms in spent.items()}  # the first is cold
    middle["open_ms"] -= middle["import_ms"]
    middle["import_ms"] -= middle["python_ms"]
    return {name: round(ms, 1) for name, ms in middle.items()}
