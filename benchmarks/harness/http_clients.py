"""Concurrent HTTP clients that post the sample to a server and count the responses."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from benchmarks.datasets.sample import SAMPLE

TIMEOUT_S = 120.0


@dataclass(slots=True)
class Responses:
    """What clients received.

    Attributes:
        seconds: latency of each result.
        statuses: numbers of responses by status; of lost ones by the exception.
        results: numbers of results by their content.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int | str] = field(default_factory=Counter)
    results: Counter[bytes] = field(default_factory=Counter)

    def add(self, status: int | str, body: bytes, seconds: float) -> None:
        """Count a response."""
        self.statuses[status] += 1
        if status == 200:
            self.seconds.append(seconds)
            self.results[body] += 1

    def merge(self, other: Responses) -> None:
        """Count the responses of another measurement."""
        self.seconds += other.seconds
        self.statuses += other.statuses
        self.results += other.results


def post_concurrently(port: int, clients: int, requests: int) -> Responses:
    """Post the sample.

    Args:
        port: of the server.
        clients: number of concurrent clients.
        requests: total number of requests.
    """
    responses = Responses()
    remaining = iter(range(requests))
    lock = threading.Lock()
    photo = SAMPLE.read_bytes()

    def post_repeatedly() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        while True:
            with lock:
                if next(remaining, None) is None:
                    connection.close()
                    return
            start = time.perf_counter()
            status, body = _post(connection, photo)
            with lock:
                responses.add(status, body, time.perf_counter() - start)

    with ThreadPoolExecutor(clients) as pool:
        for future in [pool.submit(post_repeatedly) for _ in range(clients)]:
            future.result()
    return responses


def _post(connection: http.client.HTTPConnection, photo: bytes) -> tuple[int | str, bytes]:
    """Status and body of a response; for a lost one the exception and nothing."""
    try:
        connection.request("POST", "/v1/keypoints", photo, {"Content-Type": "image/jpeg"})
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return f"lost ({type(error).__name__})", b""
