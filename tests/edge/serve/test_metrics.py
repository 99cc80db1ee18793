import asyncio

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

import httpx

from edge.serve.metrics import Metrics, MetricsMiddleware
from tests.edge.serve.serving import serving

JPEG = {"Content-Type": "image/jpeg"}


def test_all_metrics_start_at_zero_in_a_private_registry():
    Metrics().images.inc(5)
    lines = Metrics().render().decode().splitlines()
    for name in ("edge_pictures_total", "edge_faces_total", "edge_dead_workers_total"):
        assert f"{name} 0.0" in lines
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert [name for name in names if not name.endswith("_created")] == [
        "edge_requests_total",
        "edge_request_seconds",
        "edge_pictures_total",
        "edge_faces_total",
        "edge_batch_pictures",
        "edge_dead_workers_total",
    ]


def test_observations_are_rendered_with_their_labels():
    metrics = Metrics()
    metrics.requests.labels("/v1/model", "200").inc()
    metrics.latency.labels("/v1/model").observe(0.03)
    lines = metrics.render().decode().splitlines()
    for line in (
        'edge_requests_total{route="/v1/model",status="200"} 1.0',
        'edge_request_seconds_bucket{le="0.02",route="/v1/model"} 0.0',
        'edge_request_seconds_bucket{le="0.05",route="/v1/model"} 1.0',
    ):
        assert line in lines


def test_a_gauge_is_read_at_each_scrape():
    metrics, values = Metrics(), iter([3, 7])
    metrics.add_gauge("edge_queue", "Requests.", lambda: next(values))
    assert "edge_queue 3.0" in metrics.render().decode().splitlines()
    assert "edge_queue 7.0" in metrics.render().decode().splitlines()


def test_responses_images_and_faces_are_counted(detect, sample):
    photo = sample.read_bytes()
    with serving(detect) as url:
        for _ in range(2):
            httpx.post(f"{url}/v1/keypoints", content=photo, headers=JPEG)
        httpx.post(f"{url}/v1/keypoints", content=b"no image", headers=JPEG)
        httpx.get(f"{url}/whatever")
        lines = httpx.get(f"{url}/metrics").text.splitlines()
    for line in (
        'edge_requests_total{route="/v1/keypoints",status="200"} 2.0',
        'edge_requests_total{route="/v1/keypoints",status="415"} 1.0',
        'edge_requests_total{route="other",status="404"} 1.0',
        'edge_request_seconds_count{route="/v1/keypoints"} 3.0',
        "edge_faces_total 2.0",
        "edge_pictures_total 2.0",
    ):
        assert line in lines


def call(app, scope):
    async def send(message):
        pass

    asyncio.run(app(scope, None, send))


def test_a_request_without_a_response_is_counted_as_dropped():
    async def app(scope, receive, send):
        pass

    metrics = Metrics()
    call(MetricsMiddleware(app, metrics, ["/a"]), {"type": "http", "path": "/a"})
    line = 'edge_requests_total{route="/a",status="dropped"} 1.0'
    assert line in metrics.render().decode().splitlines()


def test_a_request_whose_handler_raises_is_counted():
    async def app(scope, receive, send):
        raise ZeroDivisionError

    metrics = Metrics()
    with pytest.raises(ZeroDivisionError):
        call(MetricsMiddleware(app, metrics, []), {"type": "http", "path": "/a"})
    line = 'edge_requests_total{route="other",status="dropped"} 1.0'
    assert line in metrics.render().decode().splitlines()


def test_other_connections_are_passed_through_uncounted():
    scopes = []

    async def app(scope, receive, send):
        scopes.append(scope)

    metrics = Metrics()
    call(MetricsMiddleware(app, metrics, []), {"type": "lifespan"})
    assert scopes == [{"type": "lifespan"}]
    assert "edge_requests_total{" not in metrics.render().decode()
