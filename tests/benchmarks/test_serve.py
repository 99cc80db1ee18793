import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

import edge
from benchmarks.serve import _load
from edge.serve.limits import Limits
from tests.edge.serve.serving import serving


def test_over_the_queue_every_answer_is_a_result_or_a_503_and_none_is_lost():
    detect = edge.FaceKeypoints(precision="fp32")
    with serving(detect, Limits(queue=4)) as url:
        port = int(url.rpartition(":")[2])
        alone = _load(port, 1, 3)
        many = _load(port, 24, 96)
    assert alone.statuses == {200: 3}
    assert len(alone.results) == 1
    assert set(many.statuses) == {200, 503}
    assert sum(many.statuses.values()) == 96
    assert many.results.keys() == alone.results.keys()
