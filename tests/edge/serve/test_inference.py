"""Concurrency of the inference service: order, memory and timeouts."""

import asyncio
import concurrent.futures

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

import httpx
from starlette.exceptions import HTTPException

from edge.records import to_record
from edge.serve.inference import InferenceService
from edge.serve.limits import Limits
from edge.serve.metrics import Metrics
from edge.serve.multipart import Upload
from edge.serve.workers import WorkerThreads
from tests.edge.serve.serving import BlockedModels, serving, wait_for_metric
from tests.edge.serve.test_uploads import png


@pytest.fixture
def photo(sample):
    return sample.read_bytes()


def run(detect, use, limits=Limits()):  # noqa: B008 - frozen
    """The result of `use(service)`, and the metrics."""
    metrics = Metrics()

    async def call():
        service = InferenceService(detect, limits, metrics, WorkerThreads(detect, 2))
        try:
            return await use(service)
        finally:
            service.close()

    return asyncio.run(call()), metrics.render().decode().splitlines()


def test_several_images_are_processed_in_order(detect, sample, photo):
    uploads = [Upload(name, photo) for name in "abc"]
    results, metrics = run(detect, lambda service: service.process(uploads))
    faces = detect(sample)
    names = detect.keypoint_names
    assert [result.record for result in results] == [
        to_record(name, 512, 512, faces, names) for name in "abc"
    ]
    assert [result.annotated_jpeg for result in results] == [None] * 3
    assert "edge_pictures_total 3.0" in metrics
    assert "edge_faces_total 3.0" in metrics


def test_an_unusable_image_fails_the_request_and_delays_no_other(detect, photo):
    async def use(service):
        broken = service.process([Upload("good", photo), Upload("bad", b"x")])
        return await asyncio.gather(
            broken, service.process([Upload("c", photo)]), return_exceptions=True
        )

    (error, results), _ = run(detect, use)
    assert isinstance(error, HTTPException)
    assert (error.status_code, error.detail.split(":")[0]) == (415, "bad")
    assert len(results[0].record["faces"]) == 1


def test_crops_are_predicted_with_the_68_points_where_they_are_asked_for(detect):
    uploads = [Upload("a", png(96, 96))]
    for points68 in (False, True):
        (records, _) = run(detect, lambda service: service.predict_crops(uploads, points68))  # noqa: B023
        assert ("points68" in records[0]["faces"][0]) == points68


def test_a_result_that_takes_too_long_gives_a_timeout_error(photo):
    detect = BlockedModels()
    with serving(detect, Limits(answer_seconds=0.3)) as url:
        response = httpx.post(f"{url}/v1/keypoints", content=photo, timeout=60)
        assert response.status_code == 504
        assert response.json() == {"error": "no result within 0.3 s; send fewer or smaller images"}
        detect.release.set()
        wait_for_metric(url, "edge_queue 0.0")


def test_an_image_is_decoded_once_the_memory_budget_allows(photo):
    detect = BlockedModels()
    limits = Limits(decoded_bytes=4 * 512 * 512 + 1)
    with serving(detect, limits) as url, concurrent.futures.ThreadPoolExecutor() as pool:
        requests = [
            pool.submit(httpx.post, f"{url}/v1/keypoints", content=photo, timeout=60)
            for _ in range(2)
        ]
        assert detect.started.acquire(timeout=20)
        assert not detect.started.acquire(timeout=0.5)  # the second is not decoded yet
        detect.release.set()
        assert [request.result().status_code for request in requests] == [200, 200]


def test_an_image_that_waits_for_memory_until_the_deadline_gives_a_timeout_error(photo):
    detect = BlockedModels()
    limits = Limits(decoded_bytes=1, answer_seconds=0.5)

    async def use(service):
        requests = [service.process([Upload("a", photo)]) for _ in range(2)]
        try:
            return await asyncio.gather(*requests, return_exceptions=True)
        finally:
            detect.release.set()

    errors, _ = run(detect, use, limits)
    assert [error.status_code for error in errors] == [504, 504]
