"""Time per call: fixed inputs, the first calls discarded, several things in turn, A B A B ….

Turns make a machine whose speed drifts slow all of them alike, so their ratio holds even where the
times themselves are shaky.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Call = Callable[[], object]

_WARM_UP = 20
_SHAKY_SPREAD = 0.1  # half the distance between quartiles, over the median
_CURVE = 41  # points of the curve of quantiles


@dataclass(frozen=True, slots=True)
class Amount:
    """How often each thing is called at least, and for how many seconds of its own."""

    queries: int
    seconds: float


# MLPerf's single-stream scenario asks for 1,024 queries and 60 s.
FULL, QUICK = Amount(1024, 60.0), Amount(128, 10.0)


@dataclass(frozen=True, slots=True)
class Summary:
    """Time per call, ms.

    Attributes:
        runs: how many calls were counted.
        seconds: what they took together.
        mean_ms, std_ms, min_ms, max_ms: as they say.
        p50_ms, p90_ms, p95_ms, p99_ms: so many of 100 calls were at most this long.
        shaky: whether the quartiles lie more than 10 % from the median on average.
        curve_ms: 41 quantiles from the shortest to the longest call, evenly spaced.
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


def time_in_turn(
    calls: dict[str, Call], amount: Amount, warm_up: int = _WARM_UP
) -> dict[str, NDArray[np.float64]]:
    """Call each in turn until it was called often and long enough; then it drops out.

    Returns:
        Milliseconds of every counted call, `(R,)`, by name.
    """
    for call in calls.values():
        for _ in range(warm_up):
            call()
    spent: dict[str, list[int]] = {name: [] for name in calls}
    left = dict.fromkeys(calls, amount.seconds * 1e9)
    while waiting := [n for n in calls if left[n] > 0 or len(spent[n]) < amount.queries]:
        for name in waiting:
            call = calls[name]
            start = time.perf_counter_ns()
            call()
            elapsed = time.perf_counter_ns() - start
            spent[name].append(elapsed)
            left[name] -= elapsed
    return {name: np.array(values) / 1e6 for name, values in spent.items()}


def summarise(times_ms: NDArray[np.float64]) -> Summary:
    """Sum up times `(R,)`, ms."""
    low, p50, high, p90, p95, p99 = np.percentile(times_ms, [25, 50, 75, 90, 95, 99])
    numbers = {
        "mean_ms": times_ms.mean(), "std_ms": times_ms.std(),
        "min_ms": times_ms.min(), "max_ms": times_ms.max(),
        "p50_ms": p50, "p90_ms": p90, "p95_ms": p95, "p99_ms": p99,
    }  # fmt: skip
    curve = np.percentile(times_ms, np.linspace(0, 100, _CURVE))
    return Summary(
        runs=len(times_ms),
        seconds=round(float(times_ms.sum()) / 1e3, 3),
        shaky=bool((high - low) / 2 > _SHAKY_SPREAD * p50),
        curve_ms=tuple(round(float(value), 4) for value in curve),
        **{name: round(float(value), 4) for name, value in numbers.items()},
    )
