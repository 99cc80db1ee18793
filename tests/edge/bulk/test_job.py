import itertools
import json
import os

import pytest
from PIL import Image

pytest.importorskip("pyarrow")
pytest.importorskip("fsspec")

from benchmarks.bulk_jobs.fault_injection import read_rows
from edge.bulk.inputs import list_photos
from edge.bulk.job import BulkJob
from edge.bulk.worker import PartitionResult, Worker
from edge.errors import SourceError
from edge.facekeypoints import FaceKeypoints
from tests.conftest import ROOT


class InProcessExecutor:
    """Computes partitions in this process, at most `limit` of them; then `error` is raised."""

    def __init__(self, limit=None, error=None):
        self._limit = limit
        self._error = error
        self.partitions = []

    def run(self, spec, partitions):
        worker = Worker(spec)
        for partition in partitions[: self._limit]:
            self.partitions.append(partition)
            yield worker.compute(partition)
        if self._error:
            raise self._error


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Four photos without a face, and one that is no image."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for number in range(4):
        Image.new("RGB", (40 + number, 40), "grey").save(tmp_path / "in" / f"{number}.png")
    (tmp_path / "in" / "x.png").write_text("no picture")
    return list_photos(["in"]).photos


def run(detect, photos, executor=None, resume=False):
    job = BulkJob(detect, "out")
    job.prepare(resume)
    job.run(photos, 2, executor or InProcessExecutor())
    return job


def images():
    return [row["image"] for row in read_rows("out").to_pylist()]


def manifest():
    with open("out/_manifest.json") as file:
        return json.load(file)


def test_a_job_writes_all_photos_and_prints_totals(detect, photos, capsys):
    job = run(detect, photos)
    assert images() == [photo.name for photo in photos]
    assert job.failed == 1
    err = capsys.readouterr().err
    assert err.startswith("edge: 5 photos: 0 faces, 4 photos without a face, 1 failed; ")
    assert err.endswith(" photos a second\n")


def test_the_manifest_holds_the_settings_of_the_rows(detect, photos):
    run(detect, photos[:2])
    settings = manifest()["settings"]
    assert settings["model"].startswith("keypoints.onnx ")
    assert settings["detector"].startswith("face.onnx ")
    assert [settings[name] for name in ("min_score", "max_faces", "detect_size")] == [
        0.5, None, 320,
    ]  # fmt: skip


def test_settings_do_not_depend_on_where_the_models_are(photos, tmp_path):
    path = tmp_path / "keypoints.onnx"
    path.write_bytes((ROOT / "edge" / "models" / "keypoints.onnx").read_bytes())
    run(FaceKeypoints(precision="fp32", detector="none"), photos)
    moved = FaceKeypoints(model=path, precision="fp32", detector="none")
    run(moved, photos, resume=True)
    assert manifest()["settings"]["detector"] == "none"


def test_a_resumed_job_computes_unfinished_partitions_alone(detect, photos, capsys):
    with pytest.raises(SourceError, match="no answer"):
        run(detect, photos, InProcessExecutor(limit=1, error=SourceError("no answer")))
    assert manifest()["photos"] == 2  # written although the job failed
    executor = InProcessExecutor()
    job = run(detect, photos, executor, resume=True)
    assert [len(partition.photos) for partition in executor.partitions] == [2, 1]
    assert "edge: 2 photos are done already\nedge: 3 photos: " in capsys.readouterr().err
    assert images() == [photo.name for photo in photos]
    assert job.failed == 1


def test_results_of_other_settings_are_not_resumed(detect, photos):
    run(detect, photos)
    with pytest.raises(SourceError, match=r"min_score 0\.5, and this run has 0\.6"):
        run(FaceKeypoints(precision="fp32", min_score=0.6), photos, resume=True)


def test_a_run_without_photos_does_not_need_resume(detect, photos):
    run(detect, [])
    run(detect, photos)
    assert images() == [photo.name for photo in photos]


def test_a_partition_that_cannot_be_written_ends_the_job(detect, photos):
    class FailingExecutor:
        def run(self, spec, partitions):
            yield PartitionResult(0, error="out: cannot be written (No space left on device)")

    with pytest.raises(SourceError, match="No space left on device"):
        run(detect, photos, FailingExecutor())
    assert manifest()["photos"] == 0


def test_photos_that_an_executor_drops_are_an_error(detect, photos):
    with pytest.raises(SourceError, match="3 photos have no row; continue with --resume"):
        run(detect, photos, InProcessExecutor(limit=1))


def test_progress_is_logged_at_intervals_where_there_is_no_terminal(
    detect, photos, capsys, monkeypatch
):
    clock = itertools.count(0.0, 20.0)  # each call is 20 s after the last
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    run(detect, photos)
    lines = [line.partition("]")[2] for line in capsys.readouterr().err.splitlines()]
    assert [line[: len(" 2 of 5 photos")] for line in lines] == [
        " 2 of 5 photos", " 4 of 5 photos", " 5 of 5 photos", "",
    ]  # fmt: skip


def test_the_output_may_be_relative_to_the_working_folder(detect, photos, tmp_path, monkeypatch):
    job = BulkJob(detect, "out")
    job.prepare(resume=False)
    assert job._spec.output == os.path.abspath("out")
