"""Prometheus metrics of the server; none of them reveals image content or file names."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_LATENCY_BUCKETS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_BATCH_BUCKETS = (1, 2, 4, 8, 16, 32)


class Metrics:
    """The metrics of one server.

    Attributes:
        requests: counter of responses, by route and status.
        latency: histogram of the time from the request's head to the response's end, by route, s.
        images: counter of processed images.
        faces: counter of detected faces.
        batch_size: histogram of the images whose faces shared a run of the keypoint network.
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
            "edge_batch_pictures", "Images that shared a run of the keypoint network.",
            buckets=_BATCH_BUCKETS, registry=self._registry,
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
