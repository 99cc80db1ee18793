"""Workers in threads and in processes: the same results, and what a crash leaves."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

import httpx
from starlette.exceptions import HTTPException

import edge
from edge.cli.worker_process import WorkerDied
from edge.errors import SourceError
from edge.serve.assessing import Wanted
from edge.serve.image_processor import ImageProcessor
from edge.serve.multipart import Upload
from edge.serve.workers import WorkerProcesses, WorkerThreads, default_count, open_workers
from tests.conftest import ROOT
from tests.edge.serve.serving import serving, wait_for_metric
from tests.edge.serve.test_uploads import png
from tests.poison_input import CrashingDetector


@pytest.fixture(scope="module")
def processes(detect):
    workers = WorkerProcesses(detect, 2)
    yield workers
    workers.close()


def test_processes_give_the_results_of_threads(processes, detect, sample):
    upload, wanted = Upload("a", sample.read_bytes()), Wanted(True, True, True, True, True)
    expected = WorkerThreads(detect, 1).call(ImageProcessor.find_faces, upload, wanted)
    with ThreadPoolExecutor(2) as pool:
        calls = [
            pool.submit(processes.call, ImageProcessor.find_faces, upload, wanted) for _ in range(2)
        ]
    for result in [call.result() for call in calls]:
        assert result.record == expected.record
        assert result.annotated_jpeg == expected.annotated_jpeg
        assert set(result.timings_ms) == {"decode", "search", "look", "measure"}


def test_errors_keep_status_and_text(processes, sample):
    with pytest.raises(HTTPException) as caught:
        processes.call(ImageProcessor.find_faces, Upload("a", b"\xff\xd8\xff"), Wanted())
    assert caught.value.status_code == 422
    assert caught.value.detail.startswith("a: ")


def test_one_worker_is_a_thread_of_this_process(detect):
    workers = open_workers(detect, 1)
    assert isinstance(workers, WorkerThreads)
    assert workers.count == 1
    assert 1 <= default_count() <= 4


def test_a_crash_fails_one_request_and_no_other(sample):
    detect = CrashingDetector(precision="fp32")
    with serving(detect, workers=WorkerProcesses(detect, 1)) as url:
        for _ in range(2):
            poison = httpx.post(f"{url}/v1/keypoints", content=png(1, 1), timeout=60)
            assert poison.status_code == 500
            expected = {"error": "the process that worked on it ended: out of memory, or a crash"}
            assert poison.json() == expected
            good = httpx.post(f"{url}/v1/keypoints", content=sample.read_bytes(), timeout=60)
            assert good.status_code == 200
            assert len(good.json()["faces"]) == 1
        wait_for_metric(url, "edge_dead_workers_total 2.0")


def test_processes_that_do_not_start_are_an_error(tmp_path):
    path = shutil.copy(ROOT / "edge" / "models" / "keypoints.onnx", tmp_path / "mine.onnx")
    detect = edge.FaceKeypoints(model=path, precision="fp32")
    path.unlink()
    with pytest.raises(SourceError, match="no worker process starts"):
        WorkerProcesses(detect, 2)


def test_a_worker_that_died_idle_costs_no_request(detect, sample):
    workers = WorkerProcesses(detect, 1)
    upload = Upload("a", sample.read_bytes())
    try:
        expected = workers.call(ImageProcessor.find_faces, upload, Wanted()).record
        (worker,) = workers._idle
        worker._process.kill()
        worker._process.join()
        assert workers.call(ImageProcessor.find_faces, upload, Wanted()).record == expected
    finally:
        workers.close()
    with pytest.raises(WorkerDied):
        workers.call(ImageProcessor.find_faces, upload, Wanted())


def test_a_worker_that_died_is_replaced(detect):
    workers = WorkerProcesses(CrashingDetector(precision="fp32"), 1)
    try:
        with pytest.raises(WorkerDied):
            workers.call(ImageProcessor.find_faces, Upload("a", png(1, 1)), Wanted())
        result = workers.call(ImageProcessor.find_faces, Upload("a", png(8, 8)), Wanted())
        assert result.record["faces"] == []
    finally:
        workers.close()
