"""The web server itself: uvicorn, made to let go of who says nothing, and to stop in good order."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from socket import AF_INET, AF_INET6, IPPROTO_TCP, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET
from socket import socket as Socket
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from edge.errors import SourceError
from edge.serve.limits import Limits
from edge.serve.request_body import App

_BACKLOG = 512  # connections that wait to be taken
_STOP_S = 5.0  # beyond what the limits allow a request that was accepted


class _Protocol(H11Protocol):
    """Drops connections on which no request's head arrives in time."""

    head_seconds = 15.0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._cancel()
        elif self._timer is None:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._timer = self.loop.call_later(self.head_seconds, self.transport.close)

    def _cancel(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


class Server(uvicorn.Server):
    """Tells the stream's viewers when it is to stop: they would never leave by themselves."""

    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        """Call `on_stop` once a signal asks it to stop."""
        super().__init__(config)
        self._on_stop = on_stop

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Finish what was accepted, and stop; a second Ctrl-C stops at once."""
        self._on_stop()
        super().handle_exit(sig, frame)


def make_server(app: App, limits: Limits, on_stop: Callable[[], None] = lambda: None) -> Server:
    """A server that does not listen yet.

    Args:
        app: the application.
        limits: of requests.
        on_stop: called when a signal asks it to stop.
    """
    protocol = type("Protocol", (_Protocol,), {"head_seconds": limits.body_seconds})
    config = uvicorn.Config(
        app, http=protocol, ws="none", access_log=False, log_config=None, log_level="error",
        server_header=False,
        timeout_graceful_shutdown=int(limits.body_seconds + limits.answer_seconds + _STOP_S),
    )  # fmt: skip
    return Server(config, on_stop)


def listen(server: Server, host: str, port: int, on_start: Callable[[int], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; what was accepted by then is answered.

    Args:
        server: as `make_server` makes it.
        host: the address to listen on.
        port: likewise; 0 for any that is free.
        on_start: called with the port once it listens.

    Raises:
        SourceError: the address or the port cannot be had.
    """
    socket = _bind(host, port)
    # uvicorn passes a signal on once it has stopped; by then there is nothing left to end.
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
    on_start(socket.getsockname()[1])
    with socket:
        server.run([socket])


def _bind(host: str, port: int) -> Socket:
    # Named as TCP, or asyncio would not turn off Nagle's algorithm, and answers wait 40 ms.
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
