import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

import edge
from benchmarks.harness.http_clients import post_concurrently
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
