import asyncio

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

import httpx

from edge.serve.metrics import Metrics
from edge.serve.metrics_middleware import MetricsMiddleware
from tests.edge.serve.serving import serving

JPEG = {"Content-Type": "image/jpeg"}


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
