"""What the server counts of itself, for Prometheus; nothing of the pictures is among it."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_BATCHES = (1, 2, 4, 8, 16, 32)


class Counts:
    """The counters of one server.

    Attributes:
        requests: by route and status.
        seconds: from a request's first byte to its answer's last, by route.
        pictures: that were looked at.
        faces: that were found.
        batch: pictures whose faces shared one run of the keypoint network.
    """

    def __init__(self) -> None:
        """All at nought, in a registry of their own."""
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "edge_requests", "Requests answered.", ("route", "status"), registry=self._registry
        )
        self.seconds = Histogram(
            "edge_request_seconds", "Time to the end of the answer.", ("route",),
            buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self.pictures = Counter("edge_pictures", "Pictures looked at.", registry=self._registry)
        self.faces = Counter("edge_faces", "Faces found.", registry=self._registry)
        self.batch = Histogram(
            "edge_batch_pictures", "Pictures that shared a run of the keypoint network.",
            buckets=_BATCHES, registry=self._registry,
        )  # fmt: skip

    def watch(self, name: str, help_text: str, value: Callable[[], float]) -> None:
        """Add a gauge that is read when it is asked for."""
        Gauge(name, help_text, registry=self._registry).set_function(value)

    def text(self) -> bytes:
        """All of them in Prometheus's text format."""
        return generate_latest(self._registry)
