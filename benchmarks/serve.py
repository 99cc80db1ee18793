"""`python -m benchmarks.serve`: latency and throughput of the server under load, over loopback.

1, 8 and 64 clients post the sample repeatedly. They are threads of this process that wait for each
response before the next request, so they share the processor with the server. Servers with one
worker, with one for each processor, and as many processes that do nothing but infer are
interleaved.

Then three times as many clients post as the queue admits: every response must be a result or 503,
none may be lost, and all results must equal the one that a single client gets.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.datasets.sample import SAMPLE
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.http_clients import Responses, post_concurrently
from benchmarks.harness.machine import describe_machine
from benchmarks.harness.memory import tree_mb
from benchmarks.harness.pipeline_rate import pipeline_rate
from benchmarks.reporting.markdown import header, row
from edge.serve.workers import default_count

_CLIENTS = (1, 8, 64)
_QUEUE = 64  # the server's default
_OVERLOAD_CLIENTS = 3 * _QUEUE
_OVERLOAD_REQUESTS = 4  # times those of the other measurement
_REPEATS = 3
_WARM_UP = 64  # requests


@dataclass(frozen=True, slots=True)
class _Server:
    """A running server: its port and process ID."""

    port: int
    pid: int


@dataclass(slots=True)
class _Load:
    """Measurements of one setting, over all repeats."""

    seconds: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)


def run(requests: int) -> dict[str, Any]:
    """Measure with one worker and with several, and under overload.

    Args:
        requests: of each number of clients, in each repeat.

    Raises:
        OSError: the server cannot be started, or the system does not report its memory.
    """
    return {
        "machine": describe_machine(threads=1),
        "requests": requests * _REPEATS,
        **_measure_load(requests),
        "overload": _measure_overload(_OVERLOAD_REQUESTS * requests),
    }


def _measure_load(requests: int) -> dict[str, Any]:
    counts = sorted({1, default_count()})
    loads = {(workers, clients): _Load() for workers in counts for clients in _CLIENTS}
    stages: dict[int, list[float]] = {workers: [] for workers in counts}
    for _ in range(_REPEATS):
        for workers in counts:
            rate = pipeline_rate(SAMPLE.read_bytes(), workers, requests // workers)
            stages[workers].append(rate)
            with _serving("--workers", str(workers)) as server:
                post_concurrently(server.port, max(_CLIENTS), _WARM_UP)  # starts all workers
                for clients in _CLIENTS:
                    _measure_clients(loads[workers, clients], server, clients, requests)
    return {
        "stages": [
            {"workers": workers, "photos_a_second": [round(rate, 1) for rate in rates]}
            for workers, rates in stages.items()
        ],
        "load": [
            {
                "workers": workers,
                "clients": clients,
                "p50_ms": round(float(np.percentile(load.seconds, 50)) * 1e3, 1),
                "p99_ms": round(float(np.percentile(load.seconds, 99)) * 1e3, 1),
                "requests_a_second": [round(rate, 1) for rate in load.rates],
            }
            for (workers, clients), load in loads.items()
        ],
    }


def _measure_clients(load: _Load, server: _Server, clients: int, requests: int) -> None:
    """Add one repeat to a measurement."""
    start = time.perf_counter()
    responses = post_concurrently(server.port, clients, requests)
    load.rates.append(requests / (time.perf_counter() - start))
    load.seconds.extend(responses.seconds)


def _measure_overload(requests: int) -> dict[str, Any]:
    total = Responses()
    memory_mb = []
    with _serving() as server:
        single = post_concurrently(server.port, 1, _WARM_UP)
        before_mb = tree_mb(server.pid)
        for _ in range(_REPEATS):
            total.merge(post_concurrently(server.port, _OVERLOAD_CLIENTS, requests))
            memory_mb.append(round(tree_mb(server.pid)))
    equal = sum(count for result, count in total.results.items() if result in single.results)
    return {
        "clients": _OVERLOAD_CLIENTS,
        "queue": _QUEUE,
        "sent": requests * _REPEATS,
        "answers": {str(status): n for status, n in sorted(total.statuses.items(), key=str)},
        "results_as_alone": equal,
        "mb_before": round(before_mb),
        "mb_after_each_turn": memory_mb,
    }


@contextmanager
def _serving(*arguments: str) -> Iterator[_Server]:
    """A server on a free port, terminated at the end of the block.

    Raises:
        OSError: it does not start.
    """
    command = [sys.executable, "-m", "edge.serve", "--port", "0"]
    with subprocess.Popen([*command, *arguments], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        greeting = process.stderr.readline()
        match = re.search(r":(\d+)/", greeting)
        # A full pipe would block the server, so its log is drained.
        threading.Thread(target=process.stderr.read, daemon=True).start()
        try:
            if match is None:
                raise OSError(f"the server did not start: {greeting.strip()}")
            yield _Server(int(match[1]), process.pid)
        finally:
            process.terminate()


def table(results: dict[str, Any]) -> str:
    """The results as Markdown: a table of the load, and a paragraph on the overload."""
    lines = header("workers", "clients", "p50", "p99", "requests a second", "of the stages' rate")
    stages = {entry["workers"]: entry["photos_a_second"] for entry in results["stages"]}
    for load in results["load"]:
        rates = load["requests_a_second"]
        lines.append(
            row(
                str(load["workers"]),
                str(load["clients"]),
                f"{load['p50_ms']:.1f} ms",
                f"{load['p99_ms']:.1f} ms",
                f"{np.median(rates):.1f} ({min(rates):.1f}–{max(rates):.1f})",
                f"{np.median(rates) / np.median(stages[load['workers']]):.0%}",
            )
        )
    return "\n".join([*lines, "", _describe_overload(results["overload"])])


def _describe_overload(overload: dict[str, Any]) -> str:
    responses = ", ".join(f"{count:,} × {status}" for status, count in overload["answers"].items())
    memory = ", ".join(map(str, overload["mb_after_each_turn"]))
    return (
        f"{overload['clients']} clients at a queue of {overload['queue']}: "
        f"{overload['sent']:,} requests, answered {responses}; {overload['results_as_alone']:,} "
        "results are byte for byte those of a lone client. Memory of all processes: "
        f"{overload['mb_before']} MB before, {memory} MB after each third."
    )


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.serve",
        description="Measure latency and throughput of the server under load.",
    )
    add = parser.add_argument
    add("--requests", type=int, default=400, metavar="N",
        help="requests per number of clients and repeat (default: %(default)s)")  # fmt: skip
    add("-o", "--output", metavar="FILE", type=Path, help="write the results as JSON")
    args = parser.parse_args(argv)
    return report_results(lambda: run(args.requests), table, args.output)


if __name__ == "__main__":
    sys.exit(main())
