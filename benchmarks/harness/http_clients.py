"""Concurrent HTTP clients that post the sample to a server and count the responses."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from benchmarks.datasets.sample import SAMPLE

TIMEOUT_S = 120.0
_RECEIVED_BYTES = 65_536  # at once
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


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
    message = (
        f"POST /v1/keypoints HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: image/jpeg\r\n"
        f"Content-Length: {len(photo)}\r\n\r\n"
    ).encode() + photo

    def post_repeatedly() -> None:
        client = _Client(port)
        while True:
            with lock:
                if next(remaining, None) is None:
                    client.close()
                    return
            start = time.perf_counter()
            status, body = client.post(message)
            with lock:
                responses.add(status, body, time.perf_counter() - start)

    with ThreadPoolExecutor(clients) as pool:
        for future in [pool.submit(post_repeatedly) for _ in range(clients)]:
            future.result()
    return responses


class _Client:
    """A connection that is kept open, or opened again after a failure.

    Python's own takes 0.6 ms of the processor, which the server needs, for each request.
    """

    def __init__(self, port: int) -> None:
        self._address = ("127.0.0.1", port)
        self._socket: socket.socket | None = None

    def post(self, message: bytes) -> tuple[int | str, bytes]:
        """Status and body of the response; of a lost one the exception and nothing."""
        try:
            if self._socket is None:
                self._socket = socket.create_connection(self._address, TIMEOUT_S)
            self._socket.sendall(message)
            return self._receive(self._socket)
        except OSError as error:
            self.close()
            return f"lost ({type(error).__name__})", b""

    def close(self) -> None:
        if self._socket:
            self._socket.close()
            self._socket = None

    def _receive(self, connection: socket.socket) -> tuple[int, bytes]:
        """Status and body; where no length is given, up to the end of the connection."""
        data, received = b"", b"_"
        while received:
            received = connection.recv(_RECEIVED_BYTES)
            data += received
            head, end, body = data.partition(b"\r\n\r\n")
            length = _LENGTH.search(head) if end else None
            if length and len(body) >= int(length[1]):
                break
        if not end:
            raise ConnectionResetError
        if not received or _CLOSE.search(head):
            self.close()
        return int(head.split(None, 2)[1]), body
