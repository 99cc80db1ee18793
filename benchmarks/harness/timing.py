"""Latency of calls: fixed inputs, warm-up discarded, several calls interleaved (A B A B …).

Interleaving exposes all calls to the same drift of the machine's speed, so their ratio is reliable
even where the times themselves are not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Call = Callable[[], object]

_WARM_UP = 20  # calls
_SHAKY_SPREAD = 0.1  # half the interquartile range, over the median
_CURVE_POINTS = 41


@dataclass(frozen=True, slots=True)
class RunLength:
    """The minimum duration of a measurement.

    Attributes:
        queries: minimum number of calls.
        seconds: minimum total time of these calls.
    """

    queries: int
    seconds: float


FULL = RunLength(1024, 60.0)  # as MLPerf's single-stream scenario requires
QUICK = RunLength(128, 10.0)


@dataclass(frozen=True, slots=True)
class Summary:
    """Statistics of the time per call.

    Attributes:
        runs: number of calls.
        seconds: their total time.
        mean_ms, std_ms, min_ms, max_ms: mean, standard deviation, minimum and maximum.
        p50_ms, p90_ms, p95_ms, p99_ms: percentiles.
        shaky: whether half the interquartile range exceeds 10 % of the median.
        curve_ms: 41 evenly spaced quantiles, from the minimum to the maximum.
    """

    runs: int
    seconds: float
    mean_ms: float
    std_ms: float
    min_ms: float
    max_ms: float
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    shaky: bool
    curve_ms: tuple[float, ...]


def time_interleaved(
    calls: dict[str, Call], length: RunLength, warm_up: int = _WARM_UP
) -> dict[str, NDArray[np.float64]]:
    """Time calls in rounds of one call each; a call that reached its run length drops out.

    Args:
        calls: what to time, by name.
        length: number of calls and time of each.
        warm_up: calls of each that come first and are not timed.

    Returns:
        Times of all calls `(R,)`, ms, by name.
    """
    for call in calls.values():
        for _ in range(warm_up):
            call()
    times_ns: dict[str, list[int]] = {name: [] for name in calls}
    remaining_ns = dict.fromkeys(calls, length.seconds * 1e9)
    while active := [
        name for name in calls if remaining_ns[name] > 0 or len(times_ns[name]) < length.queries
    ]:
        for name in active:
            call = calls[name]
            start = time.perf_counter_ns()
            call()
            elapsed = time.perf_counter_ns() - start
            times_ns[name].append(elapsed)
            remaining_ns[name] -= elapsed
    return {name: np.array(values) / 1e6 for name, values in times_ns.items()}


def summarise(times_ms: NDArray[np.float64]) -> Summary:
    """Statistics of times `(R,)`, ms."""
    lower_quartile, p50, upper_quartile, p90, p95, p99 = np.percentile(
        times_ms, [25, 50, 75, 90, 95, 99]
    )
    statistics = {
        "mean_ms": times_ms.mean(), "std_ms": times_ms.std(),
        "min_ms": times_ms.min(), "max_ms": times_ms.max(),
        "p50_ms": p50, "p90_ms": p90, "p95_ms": p95, "p99_ms": p99,
    }  # fmt: skip
    curve = np.percentile(times_ms, np.linspace(0, 100, _CURVE_POINTS))
    return Summary(
        runs=len(times_ms),
        seconds=round(float(times_ms.sum()) / 1e3, 3),
        shaky=bool((upper_quartile - lower_quartile) / 2 > _SHAKY_SPREAD * p50),
        curve_ms=tuple(round(float(value), 4) for value in curve),
        **{name: round(float(value), 4) for name, value in statistics.items()},
    )
