"""The limits on request bodies, and the responses of the server that exceeds them."""

import concurrent.futures
import io
import socket
import time

import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

import httpx
from PIL import Image

from edge.serve.limits import Limits
from tests.edge.serve.serving import BlockedModels, serving, wait_for_metric

JPEG = {"Content-Type": "image/jpeg"}
SMALL = Limits(body_bytes=200_000, body_seconds=0.5)


@pytest.fixture(scope="module")
def url(detect):
    with serving(detect, SMALL) as url:
        yield url


@pytest.fixture
def photo(sample):
    return sample.read_bytes()


def chunks(data, size=10_000):
    for start in range(0, len(data), size):
        yield data[start : start + size]


def connect(url):
    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def send_slowly(client):
    for _ in range(100):
        client.sendall(b"x")
        time.sleep(0.05)


def request(length, body=b""):
    head = f"POST /v1/keypoints HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n"
    return head.encode() + b"Content-Type: image/jpeg\r\n\r\n" + body


@pytest.mark.parametrize("size", [200_001, 50_000_000])
def test_a_body_that_is_too_large_is_rejected_and_the_response_arrives(url, size):
    response = httpx.post(f"{url}/v1/keypoints", content=bytes(size), headers=JPEG)
    assert response.status_code == 413
    assert response.json() == {"error": "the body is too large; expected at most 200,000 bytes"}


def test_a_body_of_unknown_length_is_rejected_while_it_arrives(url):
    response = httpx.post(f"{url}/v1/keypoints", content=chunks(bytes(300_000)), headers=JPEG)
    assert response.status_code == 413


def test_an_incomplete_body_gives_a_timeout_error_and_a_closed_connection(url):
    with connect(url) as client:
        client.sendall(request(1000, b"\xff\xd8\xff"))
        response = client.makefile("rb").read()
    assert response.startswith(b"HTTP/1.1 408")
    assert b'{"error": "the body did not arrive within 0.5 s"}' in response


def test_a_slow_body_times_out_however_often_a_byte_arrives(url):
    with connect(url) as client:
        client.sendall(request(1000))
        with pytest.raises(OSError, match=r"Broken pipe|reset|aborted"):
            send_slowly(client)


def test_a_client_that_disconnects_leaves_the_queue(url):
    for _ in range(70):
        with connect(url) as client:
            client.sendall(request(1000, b"half"))
    wait_for_metric(url, "edge_queue 0.0")


def test_requests_beyond_the_queue_are_rejected_until_a_place_is_free(photo):
    detect = BlockedModels()
    with serving(detect, Limits(queue=2)) as url, concurrent.futures.ThreadPoolExecutor() as pool:

        def post():
            return httpx.post(f"{url}/v1/keypoints", content=photo, timeout=60)

        accepted = [pool.submit(post) for _ in range(2)]
        wait_for_metric(url, "edge_queue 2.0")
        rejected = post()
        assert rejected.status_code == 503
        assert rejected.headers["retry-after"] == "1"
        assert rejected.json() == {"error": "2 requests are queued already; retry after 1 s"}
        detect.release.set()
        assert [request.result().status_code for request in accepted] == [200, 200]
        assert post().status_code == 200


def test_bodies_beyond_the_memory_for_them_are_rejected_until_it_is_free(photo):
    detect = BlockedModels()
    limits = Limits(queue_bytes=len(photo) + 1000)
    with serving(detect, limits) as url, concurrent.futures.ThreadPoolExecutor() as pool:
        accepted = pool.submit(httpx.post, f"{url}/v1/keypoints", content=photo, timeout=60)
        wait_for_metric(url, "edge_queue 1.0")
        assert detect.started.acquire(timeout=20)
        rejected = httpx.post(f"{url}/v1/keypoints", content=photo)
        assert rejected.status_code == 503
        assert rejected.json()["error"].startswith("the memory for request bodies is full")
        detect.release.set()
        assert accepted.result().status_code == 200
        assert httpx.post(f"{url}/v1/keypoints", content=photo).status_code == 200


def test_a_client_that_does_not_read_its_response_is_disconnected(detect):
    noise = np.random.default_rng(3).integers(0, 256, (3000, 3000, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", quality=95)
    data = file.getvalue()
    head = b"POST /v1/keypoints?annotated=1 HTTP/1.1\r\nHost: localhost\r\n"
    head += b"Content-Length: %d\r\n\r\n" % len(data)
    with serving(detect, Limits(send_seconds=0.3)) as url:
        with connect(url) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(head + data)
            wait_for_metric(url, 'edge_requests_total{route="/v1/keypoints",status="200"} 1.0')
        assert httpx.get(f"{url}/health").status_code == 200
