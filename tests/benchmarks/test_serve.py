import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

import edge
from benchmarks import serve
from benchmarks.serve import post_concurrently
from edge.serve.limits import Limits
from tests.edge.serve.serving import serving


def test_under_overload_every_response_is_a_result_or_503_and_none_is_lost():
    detect = edge.FaceKeypoints(precision="fp32")
    with serving(detect, Limits(queue=4)) as url:
        port = int(url.rpartition(":")[2])
        single = post_concurrently(port, 1, 3)
        many = post_concurrently(port, 24, 96)
    assert single.statuses == {200: 3}
    assert len(single.results) == 1
    assert set(many.statuses) == {200, 503}
    assert sum(many.statuses.values()) == 96
    assert many.results.keys() == single.results.keys()


def test_an_interrupted_connection_counts_as_lost():
    connection = serve.http.client.HTTPConnection("127.0.0.1", 1, timeout=1)
    assert serve._post(connection, b"") == ("lost (ConnectionRefusedError)", b"")


def test_measurements_are_added_up():
    total, other = serve.Responses(), serve.Responses()
    for responses in (total, other):
        responses.add(200, b"a", 0.5)
        responses.add(503, b"", 0.1)
    total.merge(other)
    assert total == serve.Responses([0.5, 0.5], {200: 2, 503: 2}, {b"a": 2})
