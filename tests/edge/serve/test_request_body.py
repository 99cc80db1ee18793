"""Each limit of the server, and the answer it gives."""

import concurrent.futures
import dataclasses
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
from tests.edge.serve.serving import Held, serving

JPEG = {"Content-Type": "image/jpeg"}
SMALL = Limits(body_bytes=200_000, pixels=300_000, side=2000, pictures=3, crops=4, body_seconds=0.5)


@pytest.fixture(scope="module")
def url(detect):
    with serving(detect, SMALL) as url:
        yield url


@pytest.fixture
def photo(sample):
    return sample.read_bytes()


def png(width, height):
    file = io.BytesIO()
    Image.new("L", (width, height), 99).save(file, "PNG")
    return file.getvalue()


def chunks(data, size=10_000):
    for start in range(0, len(data), size):
        yield data[start : start + size]


def connect(url):
    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def trickle(client):
    for _ in range(100):
        client.sendall(b"x")
        time.sleep(0.05)


def receive(client):
    """One answer of /health."""
    said = b""
    while not said.endswith(b'{"status":"ok"}'):
        part = client.recv(4000)
        assert part, said
        said += part
    return said


def request(length, body=b""):
    head = f"POST /v1/keypoints HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n"
    return head.encode() + b"Content-Type: image/jpeg\r\n\r\n" + body


def test_a_body_that_is_too_large_is_refused_and_the_answer_arrives(url):
    for body in (bytes(200_001), bytes(50_000_000)):
        answer = httpx.post(f"{url}/v1/keypoints", content=body, headers=JPEG)
        assert answer.status_code == 413
        assert "200,000 bytes" in answer.json()["error"]


def test_a_body_of_unknown_length_is_counted_as_it_comes(url):
    answer = httpx.post(f"{url}/v1/keypoints", content=chunks(bytes(300_000)), headers=JPEG)
    assert answer.status_code == 413


@pytest.mark.parametrize(("width", "height"), [(600, 501), (2001, 1)])
def test_a_picture_that_is_too_large_is_not_decoded(url, width, height):
    answer = httpx.post(f"{url}/v1/keypoints", content=png(width, height))
    assert answer.status_code == 413
    assert f"{width}×{height} px" in answer.json()["error"]


def test_the_largest_picture_is_taken(url):
    assert httpx.post(f"{url}/v1/keypoints", content=png(600, 500)).status_code == 200


def test_too_many_pictures_and_crops_are_refused(url):
    files = [("pictures", png(20, 20))]
    assert httpx.post(f"{url}/v1/keypoints", files=files * 3).status_code == 200
    assert httpx.post(f"{url}/v1/keypoints", files=files * 4).status_code == 413
    for count, status in ((4, 200), (5, 413)):
        file = io.BytesIO()
        np.save(file, np.zeros((count, 96, 96), np.uint8))
        assert httpx.post(f"{url}/v1/crops", content=file.getvalue()).status_code == status


def test_a_half_sent_body_is_answered_and_dropped(url):
    with connect(url) as client:
        client.sendall(request(1000, b"\xff\xd8\xff"))
        start = time.monotonic()
        said = client.makefile("rb").read()
        assert said.startswith(b"HTTP/1.1 408")
        assert time.monotonic() - start >= 0.4


def test_a_slow_body_is_dropped_however_often_a_byte_comes(url):
    with connect(url) as client:
        client.sendall(request(1000))
        with pytest.raises(OSError, match=r"Broken pipe|reset|aborted"):
            trickle(client)


@pytest.mark.parametrize("sent", [b"", b"GET /health HT", b"GET /health HTTP/1.1\r\nHost: loc"])
def test_a_request_that_never_begins_is_dropped(url, sent):
    with connect(url) as client:
        client.sendall(sent)
        assert client.recv(100) == b""


def test_a_second_request_on_a_connection_must_begin_in_time_too(url):
    whole = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with connect(url) as client:
        client.sendall(whole)
        receive(client)
        client.sendall(whole[:20])
        time.sleep(0.2)
        client.sendall(whole[20:])
        receive(client)
        client.sendall(whole[:20])
        assert client.recv(100) == b""


def test_a_client_that_leaves_holds_no_place(url):
    for _ in range(70):
        with connect(url) as client:
            client.sendall(request(1000, b"half"))
    deadline = time.monotonic() + 10
    while "edge_queue 0.0" not in httpx.get(f"{url}/metrics").text:
        assert time.monotonic() < deadline


def test_requests_beyond_the_queue_are_told_to_come_again(photo):
    detect = Held()
    with (
        serving(detect, Limits(queue=2)) as url,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        post = lambda: httpx.post(f"{url}/v1/keypoints", content=photo, timeout=60)  # noqa: E731
        first = pool.submit(post)
        second = pool.submit(post)
        wait_for(url, "edge_queue 2.0")
        refused = post()
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        detect.let_go.set()
        assert first.result().status_code == second.result().status_code == 200
        assert post().status_code == 200


def wait_for(url, line):
    deadline = time.monotonic() + 20
    while line not in httpx.get(f"{url}/metrics").text:
        assert time.monotonic() < deadline, line
        time.sleep(0.02)


def test_bodies_beyond_the_memory_for_them_are_told_to_come_again(photo):
    detect = Held()
    limits = Limits(queue_bytes=len(photo) + 1000)
    with (
        serving(detect, limits) as url,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        first = pool.submit(httpx.post, f"{url}/v1/keypoints", content=photo, timeout=60)
        wait_for(url, "edge_queue 1.0")
        assert detect.begun.acquire(timeout=20)
        assert httpx.post(f"{url}/v1/keypoints", content=photo).status_code == 503
        detect.let_go.set()
        assert first.result().status_code == 200
        assert httpx.post(f"{url}/v1/keypoints", content=photo).status_code == 200


def test_an_answer_that_takes_too_long_is_not_waited_for(photo):
    detect = Held()
    with serving(detect, Limits(answer_seconds=0.3)) as url:
        answer = httpx.post(f"{url}/v1/keypoints", content=photo, timeout=60)
        assert answer.status_code == 504
        assert "0.3 s" in answer.json()["error"]
        detect.let_go.set()
        wait_for(url, "edge_queue 0.0")


def test_a_large_picture_waits_until_there_is_room_for_it(photo):
    detect = Held()
    limits = dataclasses.replace(Limits(), room_bytes=4 * 512 * 512 + 1)
    with (
        serving(detect, limits) as url,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        both = [
            pool.submit(httpx.post, f"{url}/v1/keypoints", content=photo, timeout=60)
            for _ in range(2)
        ]
        assert detect.begun.acquire(timeout=20)
        assert not detect.begun.acquire(timeout=0.5)  # the second is not decoded yet
        detect.let_go.set()
        assert [one.result().status_code for one in both] == [200, 200]


def test_a_client_that_does_not_read_its_answer_is_left(detect):
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
            wait_for(url, 'edge_requests_total{route="/v1/keypoints",status="200"} 1.0')
        assert httpx.get(f"{url}/health").status_code == 200
