"""ASGI middleware that counts responses by route and status, and measures their latency."""

from __future__ import annotations

import time
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge.serve.metrics import Metrics

# One label for all unknown paths: a label per path would let clients grow the registry at will.
_OTHER_ROUTE = "other"
_NO_RESPONSE = "dropped"  # status of requests whose client disconnected first


class MetricsMiddleware:
    """Counts and times all requests; the outermost middleware."""

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: Iterable[str]) -> None:
        """Count requests to `app`; `routes` are the paths that have a label of their own."""
        self._app = app
        self._metrics = metrics
        self._routes = frozenset(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a connection, as ASGI specifies."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        route = scope["path"] if scope["path"] in self._routes else _OTHER_ROUTE
        status = _NO_RESPONSE

        async def record_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        start = time.perf_counter()
        try:
            await self._app(scope, receive, record_status)
        finally:
            self._metrics.requests.labels(route, status).inc()
            self._metrics.latency.labels(route).observe(time.perf_counter() - start)
