"""The fp32 or the int8 file of a network: the one asked for, or whichever is faster here.

The int8 file lies beside the fp32 one: `keypoints.onnx` and `keypoints.int8.onnx`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import numpy as np

from edge.errors import ModelError
from edge.networks.precision_cache import key_of, recall, remember

PRECISIONS = ("auto", "fp32", "int8")
# int8 must be this much faster to be chosen. It costs some accuracy, and nearer to 1 the noise of
# timing would make results differ from one start to the next.
_WORTH_IT = 0.65


class _Network(Protocol):
    path: Path
    metadata: dict[str, str]


_Opened = TypeVar("_Opened", bound=_Network)


@dataclass(frozen=True, slots=True)
class Kind(Generic[_Opened]):
    """What can be opened in two precisions.

    Attributes:
        open: from a file and a number of threads to an open network.
        use: runs it once, on what it mostly sees.
    """

    open: Callable[[Path, int], _Opened]
    use: Callable[[_Opened], object]


def open_file(kind: Kind[_Opened], full: Path, precision: str, threads: int) -> _Opened:
    """Open the fp32 or the int8 file of a network.

    Args:
        kind: of network.
        full: the fp32 file, or an int8 file, which is then opened whatever the precision.
        precision: "fp32", "int8", or "auto": whichever is faster here, as measured now or by an
            earlier start (`edge.networks.precision_cache`).
        threads: threads that one run may use.

    Raises:
        ModelError: a file is missing or breaks the contract, or the two are not of one network.
        ValueError: the precision is none of the three.
    """
    if precision not in PRECISIONS:
        raise ValueError(
            f"precision must be one of {', '.join(PRECISIONS)}, received {precision!r}"
        )
    if is_int8(full):
        return kind.open(full, threads)  # the small one was asked for by name
    small = int8_file(full)
    if precision == "int8" and not full.is_file():
        return kind.open(small, threads)
    if precision == "auto" and full.is_file() and small.is_file():
        return _open_faster(kind, full, small, threads)
    network = kind.open(full, threads)
    return _open_small(kind, small, network, threads) if precision == "int8" else network


def int8_file(full: Path) -> Path:
    """Where the int8 file of an fp32 file is."""
    return full.with_suffix(f".int8{full.suffix}")


def is_int8(path: Path) -> bool:
    """Whether a file is int8 by its name."""
    return path.name.endswith(f".int8{path.suffix}")


def _open_faster(kind: Kind[_Opened], full: Path, small: Path, threads: int) -> _Opened:
    try:
        key = key_of((full, small), threads)
    except OSError as error:
        raise ModelError(f"{full}: cannot be read ({error.strerror})") from error
    known = recall(key)
    if known in ("fp32", "int8"):
        return kind.open(full if known == "fp32" else small, threads)
    network = kind.open(full, threads)
    quantised = _open_small(kind, small, network, threads)
    faster = _least_ms_ratio(kind, quantised, network) < _WORTH_IT
    remember(key, "int8" if faster else "fp32")
    return quantised if faster else network


def _open_small(kind: Kind[_Opened], path: Path, full: _Opened, threads: int) -> _Opened:
    network = kind.open(path, threads)
    if network.metadata["sha256_keras"] != full.metadata["sha256_keras"]:
        raise ModelError(
            f"{path}: is of another network ({network.metadata['model_version']}) than {full.path} "
            f"({full.metadata['model_version']}); export both again, or choose precision fp32"
        )
    return network


def _least_ms_ratio(kind: Kind[_Opened], first: _Opened, second: _Opened, rounds: int = 4) -> float:
    """Time of `first` over that of `second`, each the least of several rounds taken in turn."""
    calls = [partial(kind.use, network) for network in (first, second)]
    times = [[median_ms(call) for call in calls] for _ in range(rounds)]
    return min(a for a, _ in times) / min(b for _, b in times)


def median_ms(call: Callable[[], object], warm_up: int = 3, runs: int = 15) -> float:
    """Median time of a call on this computer, ms, after some that are not counted."""
    times = []
    for _ in range(warm_up + runs):
        start = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - start)
    return float(np.median(times[warm_up:])) / 1e6
