import http.client

from benchmarks.harness import http_clients
from benchmarks.harness.http_clients import Responses


def test_an_interrupted_connection_counts_as_lost():
    connection = http.client.HTTPConnection("127.0.0.1", 1, timeout=1)
    assert http_clients._post(connection, b"") == ("lost (ConnectionRefusedError)", b"")


def test_measurements_are_added_up():
    total, other = Responses(), Responses()
    for responses in (total, other):
        responses.add(200, b"a", 0.5)
        responses.add(503, b"", 0.1)
    total.merge(other)
    assert total == Responses([0.5, 0.5], {200: 2, 503: 2}, {b"a": 2})
