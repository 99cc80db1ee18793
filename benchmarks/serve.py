"""`python -m benchmarks.serve`: the server under load, on this computer's own loopback.

The sample is posted again and again by 1, 8 and 64 clients, threads of this process that each wait
for an answer before they ask again, so they share the processor with the server; with faces of
several clients in shared batches, waited for up to 3 ms, and with each picture's alone, in turns.
Then three times as many clients come as the queue takes: every answer must be a result or a 503,
none may be lost, and all results must be the one that a lone client gets.
"""

from __future__ import annotations

import argparse
import http.client
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.harness.memory import resident_mb
from benchmarks.tracking import SAMPLE

_CLIENTS = (1, 8, 64)
_QUEUE = 64  # the server's own default
_TURNS = 3
_WARM_UP = 20
_WAYS = {"shared": "3", "alone": "0"}  # --batch-ms


@dataclass(frozen=True, slots=True)
class _Server:
    """A running server: its port and the number of its process."""

    port: int
    pid: int


@dataclass(slots=True)
class _Seen:
    """What clients have seen: seconds to each answer, how many of each status, and results."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int | str] = field(default_factory=Counter)
    results: Counter[bytes] = field(default_factory=Counter)


def run(requests: int) -> dict[str, Any]:
    """Both ways under load, and more than the queue takes.

    Args:
        requests: of each number of clients, in each turn.

    Raises:
        OSError: the server cannot be started, or the system does not tell its memory.
    """
    return {
        "machine": describe_machine(threads=1),
        "requests": requests * _TURNS,
        "load": _measure_load(requests),
        "overload": _measure_overload(3 * _QUEUE, requests),
    }


def _measure_load(requests: int) -> list[dict[str, Any]]:
    seen: dict[tuple[str, int], tuple[list[float], list[float]]] = {
        (way, clients): ([], []) for clients in _CLIENTS for way in _WAYS
    }
    batches: dict[tuple[str, int], float] = {}
    for _ in range(_TURNS):
        for way, wait_ms in _WAYS.items():
            with _serving("--batch-ms", wait_ms) as server:
                _load(server.port, 1, _WARM_UP)
                for clients in _CLIENTS:
                    before = _batches(server.port)
                    start = time.perf_counter()
                    got = _load(server.port, clients, requests)
                    seconds, rates = seen[way, clients]
                    rates.append(requests / (time.perf_counter() - start))
                    seconds.extend(got.seconds)
                    pictures, runs = np.subtract(_batches(server.port), before)
                    batches[way, clients] = pictures / runs
    return [
        {
            "faces": way,
            "clients": clients,
            "p50_ms": round(float(np.percentile(seconds, 50)) * 1e3, 1),
            "p99_ms": round(float(np.percentile(seconds, 99)) * 1e3, 1),
            "requests_a_second": [round(rate, 1) for rate in rates],
            "pictures_a_batch": round(float(batches[way, clients]), 2),
        }
        for (way, clients), (seconds, rates) in seen.items()
    ]


def _measure_overload(clients: int, requests: int) -> dict[str, Any]:
    with _serving() as server:
        alone = _load(server.port, 1, _WARM_UP)
        before = resident_mb(server.pid)
        memory = []
        total: Counter[int | str] = Counter()
        results: Counter[bytes] = Counter()
        for _ in range(_TURNS):
            got = _load(server.port, clients, requests * 4)
            total += got.statuses
            results += got.results
            memory.append(round(resident_mb(server.pid)))
        same = sum(count for result, count in results.items() if result in alone.results)
    return {
        "clients": clients,
        "queue": _QUEUE,
        "sent": requests * 4 * _TURNS,
        "answers": {str(status): count for status, count in sorted(total.items(), key=str)},
        "results_as_alone": same,
        "mb_before": round(before),
        "mb_after_each_turn": memory,
    }


@contextmanager
def _serving(*arguments: str) -> Iterator[_Server]:
    command = [sys.executable, "-m", "edge.serve", "--port", "0", "--precision", "fp32"]
    with subprocess.Popen([*command, *arguments], stderr=subprocess.PIPE, text=True) as process:
        said = process.stderr.readline() if process.stderr else ""
        found = re.search(r":(\d+)/", said)
        try:
            if not found:
                raise OSError(f"the server did not start: {said.strip()}")
            yield _Server(int(found[1]), process.pid)
        finally:
            process.terminate()


def _load(port: int, clients: int, requests: int) -> _Seen:
    """Post the sample `requests` times, by so many clients at once."""
    seen, left, lock = _Seen(), iter(range(requests)), threading.Lock()
    photo = SAMPLE.read_bytes()

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while True:
            with lock:
                if next(left, None) is None:
                    connection.close()
                    return
            start = time.perf_counter()
            status, result = _post(connection, photo)
            with lock:
                seen.statuses[status] += 1
                if status == 200:
                    seen.seconds.append(time.perf_counter() - start)
                    seen.results[result] += 1

    with ThreadPoolExecutor(clients) as pool:
        for future in [pool.submit(ask) for _ in range(clients)]:
            future.result()
    return seen


def _post(connection: http.client.HTTPConnection, photo: bytes) -> tuple[int | str, bytes]:
    try:
        connection.request("POST", "/v1/keypoints", photo, {"Content-Type": "image/jpeg"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return f"lost ({type(error).__name__})", b""


def _batches(port: int) -> tuple[float, float]:
    """Pictures whose faces were looked at so far, and runs in which they were."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    names = ("edge_batch_pictures_sum", "edge_batch_pictures_count")
    pictures, runs = (float(re.search(rf"^{name} (\S+)", text, re.M)[1]) for name in names)  # type: ignore[index]
    return pictures, runs


def table(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    lines = [
        "| clients | faces | p50 | p99 | requests a second | pictures a batch |",
        "|---|---|---|---|---|---|",
    ]
    for row in results["load"]:
        rates = row["requests_a_second"]
        lines.append(
            f"| {row['clients']} | {row['faces']} | {row['p50_ms']:.1f} ms "
            f"| {row['p99_ms']:.1f} ms "
            f"| {np.median(rates):.1f} ({min(rates):.1f}–{max(rates):.1f}) "
            f"| {row['pictures_a_batch']:.2f} |"
        )
    over = results["overload"]
    answers = ", ".join(f"{count:,} × {status}" for status, count in over["answers"].items())
    after = ", ".join(map(str, over["mb_after_each_turn"]))
    lines += [
        "",
        f"{over['clients']} clients at a queue of {over['queue']}: {over['sent']:,} requests, "
        f"answered {answers}; {over['results_as_alone']:,} results are byte for byte those of a "
        f"lone client. Memory: {over['mb_before']} MB before, {after} MB after each third.",
    ]
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.serve", description="Measure the server under load."
    )
    add = parser.add_argument
    add("--requests", type=int, default=400, metavar="N",
        help="of each number of clients in each of three turns (default: %(default)s)")  # fmt: skip
    add("-o", "--output", metavar="FILE", type=Path, help="results as JSON")
    args = parser.parse_args(argv)
    return report_results(lambda: run(args.requests), table, args.output)


if __name__ == "__main__":
    sys.exit(main())
