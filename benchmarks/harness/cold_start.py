"""Start-up time of fresh processes in a warm page cache: medians, interleaved."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np

from benchmarks.datasets.sample import SAMPLE

_STARTS = 9  # of each, besides a first one that is discarded


def measure_starts() -> dict[str, float]:
    """Time of Python alone, importing `edge`, opening its models, and a first result.

    Returns:
        `python_ms`, a process that does nothing; `import_ms` and `open_ms`, what importing `edge`
        and opening its models add; `first_result_ms`, the command on the sample, start to end.
    """
    commands = {
        "python_ms": ["-c", "pass"],
        "import_ms": ["-c", "import edge"],
        "open_ms": ["-c", "import edge; edge.FaceKeypoints(precision='fp32')"],
        "first_result_ms": ["-m", "edge.run", str(SAMPLE), "--no-picture", "--precision", "fp32"],
    }
    times_ms: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(_STARTS + 1):
        for name, command in commands.items():
            start = time.perf_counter_ns()
            subprocess.run([sys.executable, *command], check=True, capture_output=True)
            times_ms[name].append((time.perf_counter_ns() - start) / 1e6)
    # The first start of each may read from the disk.
    medians = {name: float(np.median(times[1:])) for name, times in times_ms.items()}
    medians["open_ms"] -= medians["import_ms"]
    medians["import_ms"] -= medians["python_ms"]
    return {name: round(ms, 1) for name, ms in medians.items()}
