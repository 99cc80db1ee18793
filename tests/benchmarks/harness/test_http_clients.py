import contextlib
import socket
import threading

import pytest

from benchmarks.harness.http_clients import Responses, post_concurrently

RESULT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
BUSY = (
    b"HTTP/1.1 503 Busy\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
    b"2\r\n{}\r\n0\r\n\r\n"
)


@contextlib.contextmanager
def answering(*answers):
    """The port of a server that gives these answers, each split in two; None closes instead."""

    def serve():
        remaining = list(answers)
        while remaining:
            connection, _ = server.accept()
            with connection:
                while remaining and receive_request(connection):
                    answer = remaining.pop(0)
                    if answer is None:
                        break
                    connection.sendall(answer[:20])
                    connection.sendall(answer[20:])
                    if b"close" in answer:
                        break

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join(timeout=20)


def receive_request(connection):
    """Receive a whole request; False if there is none."""
    data = connection.recv(65536)
    if not data:
        return False
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    received = len(body)
    while received < length:
        received += len(connection.recv(65536))
    return True


@pytest.mark.parametrize(
    ("answers", "statuses"),
    [
        ((RESULT, RESULT), {200: 2}),
        ((BUSY, RESULT), {503: 1, 200: 1}),
        ((None, RESULT), {"lost (ConnectionResetError)": 1, 200: 1}),
    ],
)
def test_responses_are_counted_by_status(answers, statuses):
    with answering(*answers) as port:
        responses = post_concurrently(port, 1, 2)
    assert responses.statuses == statuses
    assert responses.results == {b"{}": statuses[200]}
    assert len(responses.seconds) == statuses[200]


def test_a_server_that_is_not_there_is_a_lost_response():
    assert post_concurrently(1, 1, 1).statuses == {"lost (ConnectionRefusedError)": 1}


def test_measurements_are_added_up():
    total, other = Responses(), Responses()
    for responses in (total, other):
        responses.add(200, b"a", 0.5)
        responses.add(503, b"", 0.1)
    total.merge(other)
    assert total == Responses([0.5, 0.5], {200: 2, 503: 2}, {b"a": 2})
