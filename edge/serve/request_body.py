"""Bodies of requests: taken in whole before any work begins, within bounds of size and time.

Pure ASGI, around the application. A body is held in memory, never in a file.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from edge.serve.limits import Limits, Refusal, busy

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class _Gone(Exception):
    """The client has left, or does not read its answer."""


class Intake:
    """Admits requests with bodies while there is room, and hands them on with the body read.

    Attributes:
        held: how many are in work or wait.
    """

    def __init__(self, app: App, limits: Limits) -> None:
        """Stand before `app`."""
        self._app, self._limits = app, limits
        self.held = self._held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, as ASGI says."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _impatient(send, self._limits.send_seconds)
        with contextlib.suppress(_Gone):
            if scope["method"] == "POST":
                await self._take(scope, receive, send)
            else:
                await self._app(scope, receive, send)

    async def _take(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = _Body(receive)
        try:
            await self._admit(scope, body, send)
        except Refusal as refusal:
            await self._refuse(refusal, body, send)
        finally:
            self._held_bytes -= body.counted

    async def _admit(self, scope: Scope, body: _Body, send: Send) -> None:
        self._check_length(scope)
        if self.held >= self._limits.queue:
            raise busy(f"{self.held} requests wait already")
        self.held += 1
        try:
            data = await self._read_in_time(body)
            await self._app(scope, _replay(data, body.receive), send)
        finally:
            self.held -= 1

    async def _read_in_time(self, body: _Body) -> bytes:
        seconds = self._limits.body_seconds
        try:
            return await asyncio.wait_for(self._read(body), seconds)
        except asyncio.TimeoutError as error:
            raise Refusal(408, f"the body did not arrive within {seconds:g} s") from error

    def _check_length(self, scope: Scope) -> None:
        for name, value in scope["headers"]:
            if name == b"content-length" and int(value) > self._limits.body_bytes:
                raise self._too_large()

    async def _read(self, body: _Body) -> bytes:
        parts = []
        async for part in body.parts():
            body.counted += len(part)
            self._held_bytes += len(part)
            if body.counted > self._limits.body_bytes:
                raise self._too_large()
            if self._held_bytes > self._limits.queue_bytes:
                raise busy("the bodies of other requests fill the memory set apart for them")
            parts.append(part)
        return b"".join(parts)

    def _too_large(self) -> Refusal:
        most = self._limits.body_bytes
        return Refusal(413, f"the body is too large; expected at most {most:,} bytes")

    async def _refuse(self, refusal: Refusal, body: _Body, send: Send) -> None:
        """Answer, and take in what is still on its way: or the answer might be lost with it."""
        await send(start_of(refusal))
        await send({"type": "http.response.body", "body": refusal.body, "more_body": True})
        if refusal.status != 408:
            with contextlib.suppress(asyncio.TimeoutError, _Gone):
                await asyncio.wait_for(self._drain(body), self._limits.body_seconds)
        await send({"type": "http.response.body", "body": b""})

    async def _drain(self, body: _Body) -> None:
        drained = 0
        async for part in body.parts():
            drained += len(part)
            if drained > self._limits.body_bytes:
                return


def start_of(refusal: Refusal) -> dict[str, Any]:
    """The status and the headers with which a request is refused."""
    headers = {"Content-Type": "application/json", "Connection": "close", **refusal.headers}
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": refusal.status, "headers": pairs}


class _Body:
    """A body as it comes in, and how many of its bytes count as held."""

    def __init__(self, receive: Receive) -> None:
        self.receive, self.counted, self._more = receive, 0, True

    async def parts(self) -> Any:
        while self._more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            self._more = message.get("more_body", False)
            yield message.get("body", b"")


def _replay(data: bytes, receive: Receive) -> Receive:
    """A `receive` that gives a body that was read; afterwards, what the server says."""
    left: list[bytes] = [data]

    async def again() -> MutableMapping[str, Any]:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return again


def _impatient(send: Send, seconds: float) -> Send:
    """A `send` that gives up on a client that does not read."""

    async def within(message: MutableMapping[str, Any]) -> None:
        try:
            await asyncio.wait_for(send(message), seconds)
        except asyncio.TimeoutError as error:
            raise _Gone from error

    return within
