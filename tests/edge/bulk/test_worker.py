import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("fsspec")

from PIL import Image

from benchmarks.bulk_jobs.fault_injection import read_rows
from edge.bulk.partitions import Partition, PartitionSummary
from edge.bulk.photos import photo_at
from edge.bulk.worker import JobSpec, PartitionResult, Worker
from edge.image import load_grey

NAME = f"part-{'0' * 32}.parquet"


class FakeDetector:
    """Finds no face, and records the heights of the images that it is given."""

    keypoint_names = ("nose_tip",)
    points68 = False

    def __init__(self):
        self.heights = []

    def load(self, photo):
        return load_grey(photo)

    def detect_faces(self, grey):
        self.heights.append(len(grey))
        return None

    def predict_faces(self, greys, detections):
        return [[] for _ in greys]


@pytest.fixture
def detect():
    return FakeDetector()


@pytest.fixture
def worker(detect, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    for name, height in zip("ab", (1, 2), strict=True):
        Image.new("L", (3, height)).save(tmp_path / f"{name}.jpg")
    return Worker(JobSpec(detect, str(tmp_path / "out"), {}))


@pytest.fixture
def partition(worker):
    return Partition(NAME, tuple(photo_at(f"{name}.jpg") for name in "abc"))


def statuses(folder):
    return [(row["image"], row["status"], row["reason"]) for row in read_rows(folder).to_pylist()]


def test_photos_are_read_and_processed_in_order(worker, partition, detect, tmp_path):
    summary = PartitionSummary(NAME, photos=3, faces=0, without_face=2, failed=1)
    assert worker.compute(partition) == PartitionResult(3, summary)
    assert detect.heights == [1, 2]
    assert statuses(tmp_path / "out") == [
        ("a.jpg", "no face", None), ("b.jpg", "no face", None), ("c.jpg", "failed", "no such file"),
    ]  # fmt: skip


def test_poison_input_is_not_processed_and_fails(worker, partition, detect, tmp_path):
    worker.compute(partition, frozenset(["a.jpg"]))
    assert detect.heights == [2]
    reason = "the process that looked at it ended: out of memory, or a crash"
    assert statuses(tmp_path / "out")[0] == ("a.jpg", "failed", reason)


def test_a_finished_partition_is_not_computed_again(worker, partition, detect):
    first = worker.compute(partition)
    assert worker.compute(partition) == first
    assert detect.heights == [1, 2]


def test_a_partition_that_cannot_be_written_has_an_error_and_no_summary(worker, partition):
    worker._folder._root = worker._folder.address + "/missing"
    result = worker.compute(partition)
    assert (result.photos, result.summary) == (0, None)
    assert "cannot be written (no such file or folder)" in result.error


def test_a_trial_writes_nothing(worker, partition, detect, tmp_path):
    worker.try_photo(partition.photos[1])
    assert detect.heights == [2]
    assert [*(tmp_path / "out").iterdir()] == []
