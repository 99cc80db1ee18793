"""The HTTP server: uvicorn with a timeout for request heads and a graceful shutdown.

uvicorn has no timeout for a client that opens a connection and never completes the head of a
request, so its `H11Protocol` is extended here. `tests/edge/serve/test_uvicorn_server.py` checks the
internals that this relies on, and fails with a message if a new release has changed them.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Callable
from socket import AF_INET, AF_INET6, IPPROTO_TCP, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET
from socket import socket as Socket
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from edge.errors import SourceError
from edge.serve.limits import Limits

_BACKLOG = 512  # connections that the system queues until they are accepted
_SHUTDOWN_MARGIN_S = 5.0  # beyond the longest time that the limits allow an accepted request
# For how long a thread may hold the interpreter while another waits for it. With Python's 5 ms a
# thread that has a worker's result waits for requests that are being parsed, and the worker with
# it: eight clients get a tenth more results.
_SWITCH_INTERVAL_S = 1e-4


class _HeadTimeoutProtocol(H11Protocol):
    """Closes a connection on which the head of a request does not arrive in time.

    The time runs from the opening of the connection and, on a connection that is kept alive, from
    the first byte of each further request; uvicorn's own keep-alive timeout covers the idle time
    between them.
    """

    head_timeout_s: float
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head_is_complete():
            self._cancel_timer()
        elif self._timer is None:
            self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_timer()
        super().connection_lost(exc)

    def _head_is_complete(self) -> bool:
        # uvicorn creates a cycle once it has parsed a request's head.
        return self.cycle is not None and not self.cycle.response_complete

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(self.head_timeout_s, self.transport.close)

    def _cancel_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


class Server(uvicorn.Server):
    """A uvicorn server that reports signals before it waits for its connections to end.

    The viewers of the live stream would otherwise keep theirs open.
    """

    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        """Call `on_stop` at the first signal to stop."""
        super().__init__(config)
        self._on_stop = on_stop

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Finish accepted requests, then stop; a second Ctrl-C stops immediately."""
        self._on_stop()
        super().handle_exit(sig, frame)


def make_server(app: ASGIApp, limits: Limits, on_stop: Callable[[], None] = lambda: None) -> Server:
    """Create a server that does not listen yet.

    Args:
        app: the application.
        limits: its limits.
        on_stop: called when a signal stops the server.
    """

    class Protocol(_HeadTimeoutProtocol):
        head_timeout_s = limits.body_seconds

    shutdown_s = limits.body_seconds + limits.answer_seconds + _SHUTDOWN_MARGIN_S
    config = uvicorn.Config(
        app, http=Protocol, ws="none", access_log=False, log_config=None, log_level="error",
        server_header=False, proxy_headers=False, timeout_graceful_shutdown=int(shutdown_s),
    )  # fmt: skip
    return Server(config, on_stop)


def listen(server: Server, host: str, port: int, on_start: Callable[[int], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; requests accepted by then are answered.

    Args:
        server: from `make_server`.
        host: the address to listen on.
        port: the port to listen on; 0 for any free port.
        on_start: called with the port when connections are possible.

    Raises:
        SourceError: the address or port is not available.
    """
    socket = _bind(host, port)
    # After its shutdown uvicorn raises the signal again, which would end the process with the
    # signal's status instead of 0.
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
    on_start(socket.getsockname()[1])
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    with socket:
        server.run([socket])


def _bind(host: str, port: int) -> Socket:
    # asyncio disables Nagle's algorithm, which delays responses by 40 ms, only on sockets whose
    # protocol is given as TCP.
    socket = Socket(AF_INET6 if ":" in host else AF_INET, SOCK_STREAM, IPPROTO_TCP)
    socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    try:
        socket.bind((host, port))
        socket.listen(_BACKLOG)
    except OSError as error:
        socket.close()
        reason = error.strerror or str(error)
        raise SourceError(f"cannot listen on {host}:{port} ({reason})") from error
    return socket
