"""Counts every answer by route and status, and how long it took; pure ASGI."""

from __future__ import annotations

import time
from typing import Any

from edge.serve.metrics import Counts
from edge.serve.request_body import App, Receive, Scope, Send

_OTHER = "other"  # whatever anybody may think of asking for, as one route


class Tally:
    """Stands before everything else and counts."""

    def __init__(self, app: App, counts: Counts, routes: list[str]) -> None:
        """Count requests to `app`; `routes` are the paths that are counted by themselves."""
        self._app, self._counts, self._routes = app, counts, frozenset(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, as ASGI says."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        route = path if path in self._routes else _OTHER
        start, status = time.perf_counter(), "dropped"

        async def noting(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._counts.requests.labels(route, status).inc()
            self._counts.seconds.labels(route).observe(time.perf_counter() - start)
