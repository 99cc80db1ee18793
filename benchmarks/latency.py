"""How long one face takes.

Fixed input, the first runs discarded, `perf_counter_ns` around each call, one thread unless told
otherwise; opening the model is measured apart. Models are run in turn, A B A B …, so that a machine
whose speed drifts slows all of them alike.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.model import KeypointModel

_WARM_UP = 20
_SHAKY_SPREAD = 0.1  # half the distance between quartiles, over the median


@dataclass(frozen=True, slots=True)
class Latency:
    """Time per call, ms.

    Attributes:
        runs: how many calls were counted.
        median_ms: the middle one.
        p95_ms: 95 of 100 were at most this long.
        min_ms: the shortest.
        shaky: whether the quartiles lie more than 10 % from the median on average.
    """

    runs: int
    median_ms: float
    p95_ms: float
    min_ms: float
    shaky: bool


def measure_latency(models: dict[str, KeypointModel], runs: int) -> dict[str, Latency]:
    """Time each model on one face, in turn; every name gets `runs` counted calls."""
    rng = np.random.default_rng(0)
    times: dict[str, list[int]] = {name: [] for name in models}
    for i in range(_WARM_UP + runs):
        for name, model in models.items():
            face = rng.integers(0, 256, size=(1, model.size, model.size)).astype(np.uint8)
            start = time.perf_counter_ns()
            model(face)
            elapsed = time.perf_counter_ns() - start
            if i >= _WARM_UP:
                times[name].append(elapsed)
    return {name: summarise(np.array(values) / 1e6) for name, values in times.items()}


def summarise(times_ms: NDArray[np.float64]) -> Latency:
    """Sum up times `(R,)`, ms."""
    low, median, high, p95 = np.percentile(times_ms, [25, 50, 75, 95])
    return Latency(
        runs=len(times_ms),
        median_ms=round(float(median), 4),
        p95_ms=round(float(p95), 4),
        min_ms=round(float(times_ms.min()), 4),
        shaky=bool((high - low) / 2 > _SHAKY_SPREAD * median),
    )
