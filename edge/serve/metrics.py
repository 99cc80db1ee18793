"""Prometheus metrics of the server, and the ASGI middleware that counts and times its responses.

None of them reveals image content or file names.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_LATENCY_BUCKETS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
# One label for all unknown paths: a label per path would let clients grow the registry at will.
_OTHER_ROUTE = "other"
_NO_RESPONSE = "dropped"  # status of requests whose client disconnected first


class Metrics:
    """The metrics of one server.

    Attributes:
        requests: counter of responses, by route and status.
        latency: histogram of the time from the request's head to the response's end, by route, s.
        images: counter of processed images.
        faces: counter of detected faces.
        batch_size: histogram of the images that shared a run of the keypoint network, which are no
            longer several; goes in 0.3.
        dead_workers: counter of worker processes that ended of a request, and were replaced.
    """

    def __init__(self) -> None:
        """Create all metrics in a private registry."""
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "edge_requests", "Responses sent.", ("route", "status"), registry=self._registry
        )
        self.latency = Histogram(
            "edge_request_seconds", "Time to the end of the response.", ("route",),
            buckets=_LATENCY_BUCKETS_S, registry=self._registry,
        )  # fmt: skip
        self.images = Counter("edge_pictures", "Images processed.", registry=self._registry)
        self.faces = Counter("edge_faces", "Faces detected.", registry=self._registry)
        self.batch_size = Histogram(
            "edge_batch_pictures", "Images that shared a run of the keypoint network: always 1.",
            buckets=(1,), registry=self._registry,
        )  # fmt: skip
        self.dead_workers = Counter(
            "edge_dead_workers", "Worker processes that ended of a request.",
            registry=self._registry,
        )  # fmt: skip

    def add_gauge(self, name: str, description: str, read: Callable[[], float]) -> None:
        """Add a gauge whose value is read at each scrape."""
        Gauge(name, description, registry=self._registry).set_function(read)

    def add_collector(self, collector: Collector) -> None:
        """Add metrics that are collected at each scrape."""
        self._registry.register(collector)

    def render(self) -> bytes:
        """All metrics in Prometheus's text format."""
        return generate_latest(self._registry)


class MetricsMiddleware:
    """Counts and times all requests; the outermost middleware."""

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: Iterable[str]) -> None:
        """Count requests to `app`; `routes` are the paths with their own label."""
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
