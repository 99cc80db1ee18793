"""ASGI middleware that reads request bodies whole, within limits on their size, number and time.

Bodies are held in memory and never written to disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge.serve.http_errors import error_body, error_start, service_unavailable
from edge.serve.limits import Limits

_T = TypeVar("_T")


class _ClientDisconnected(Exception):
    """The client has closed the connection, or does not read the response."""


class BodyLimiter:
    """Reads the body of each POST request before the application is called.

    Attributes:
        active: requests with a body that are being read or handled.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        """Limit the requests to `app`."""
        self._app = app
        self._limits = limits
        self.active = 0
        self._buffered_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a connection, as ASGI specifies."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _with_timeout(send, self._limits.send_seconds)
        with contextlib.suppress(_ClientDisconnected):
            if scope["method"] == "POST":
                await self._handle_post(scope, receive, send)
            else:
                await self._app(scope, receive, send)

    async def _handle_post(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = _Body(receive)
        try:
            await self._handle_within_limits(scope, body, send)
        except HTTPException as error:
            await self._send_error(error, body, send)
        finally:
            self._buffered_bytes -= body.buffered_bytes

    async def _handle_within_limits(self, scope: Scope, body: _Body, send: Send) -> None:
        self._check_content_length(scope)
        if self.active >= self._limits.queue:
            raise service_unavailable(f"{self.active} requests are queued already")
        self.active += 1
        try:
            data = await self._read_in_time(body)
            await self._app(scope, _replay(data, body.receive), send)
        finally:
            self.active -= 1

    def _check_content_length(self, scope: Scope) -> None:
        for name, value in scope["headers"]:
            if name == b"content-length" and int(value) > self._limits.body_bytes:
                raise self._too_large()

    async def _read_in_time(self, body: _Body) -> bytes:
        seconds = self._limits.body_seconds
        try:
            return await _in_time(self._read(body), seconds)
        except asyncio.TimeoutError as error:
            raise HTTPException(408, f"the body did not arrive within {seconds:g} s") from error

    async def _read(self, body: _Body) -> bytes:
        chunks = []
        async for chunk in body.chunks():
            body.buffered_bytes += len(chunk)
            self._buffered_bytes += len(chunk)
            if body.buffered_bytes > self._limits.body_bytes:
                raise self._too_large()
            if self._buffered_bytes > self._limits.queue_bytes:
                raise service_unavailable("the memory for request bodies is full")
            chunks.append(chunk)
        return b"".join(chunks)

    def _too_large(self) -> HTTPException:
        limit = self._limits.body_bytes
        return HTTPException(413, f"the body is too large; expected at most {limit:,} bytes")

    async def _send_error(self, error: HTTPException, body: _Body, send: Send) -> None:
        """Send an error, then read the rest of the body.

        Closing a connection with unread data resets it, and the client might lose the response.
        """
        await send(error_start(error))
        await send(error_body(error, more_body=True))
        if error.status_code != 408:
            with contextlib.suppress(asyncio.TimeoutError, _ClientDisconnected):
                await _in_time(self._drain(body), self._limits.body_seconds)
        await send({"type": "http.response.body", "body": b""})

    async def _drain(self, body: _Body) -> None:
        drained_bytes = 0
        async for chunk in body.chunks():
            drained_bytes += len(chunk)
            if drained_bytes > self._limits.body_bytes:
                return


class _Body:
    """A request body that is being received, and how many of its bytes are in memory."""

    def __init__(self, receive: Receive) -> None:
        self.receive = receive
        self.buffered_bytes = 0
        self._more = True

    async def chunks(self) -> AsyncIterator[bytes]:
        while self._more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise _ClientDisconnected
            self._more = message.get("more_body", False)
            yield message.get("body", b"")


def _replay(data: bytes, receive: Receive) -> Receive:
    """A `receive` that returns the body already read, then what the server sends."""
    messages: list[Message] = [{"type": "http.request", "body": data, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


def _with_timeout(send: Send, seconds: float) -> Send:
    """A `send` that raises `_ClientDisconnected` if the client does not read in time."""

    async def send_in_time(message: Message) -> None:
        try:
            await _in_time(send(message), seconds)
        except asyncio.TimeoutError as error:
            raise _ClientDisconnected from error

    return send_in_time


if sys.version_info >= (3, 11):

    async def _in_time(work: Awaitable[_T], seconds: float) -> _T:
        """As `asyncio.wait_for`, which took a task of its own for each message until 3.12."""
        async with asyncio.timeout(seconds):
            return await work
else:
    _in_time = asyncio.wait_for
