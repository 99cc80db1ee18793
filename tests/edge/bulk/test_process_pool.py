import os
import shutil

import pytest
from PIL import Image

pytest.importorskip("pyarrow")
pytest.importorskip("fsspec")

from benchmarks.bulk_jobs.fault_injection import read_rows
from edge.bulk.executors import Executor
from edge.bulk.inputs import list_photos
from edge.bulk.job import BulkJob
from tests.conftest import ROOT
from tests.poison_input import CrashingDetector


def test_poison_input_fails_and_the_other_photos_are_processed(crops):
    Image.new("RGB", (1, 1)).save("in/2a.png")
    job = BulkJob(CrashingDetector(precision="fp32"), "out")
    job.prepare(resume=False)
    photos = list_photos(["in/*.png"]).photos
    job.run(photos, 4, Executor("local", 2))
    rows = {row["image"]: row for row in read_rows(crops / "out").to_pylist()}
    assert set(rows) == {photo.name for photo in photos}
    poison = rows.pop("in/2a.png")
    assert poison["status"] == "failed"
    assert poison["reason"].startswith("the process that looked at it ended")
    assert [row["status"] for row in rows.values()] == ["face"] * 5


def test_workers_that_do_not_start_mark_no_photo_as_failed(crops, capfd):
    shutil.copy(ROOT / "edge" / "models" / "keypoints.onnx", "mine.onnx")
    job = BulkJob(CrashingDetector(model="mine.onnx", precision="fp32"), "out")
    job.prepare(resume=False)
    os.unlink("mine.onnx")
    with pytest.raises(OSError, match="worker processes exit at startup"):
        job.run(list_photos(["in"]).photos, 4, Executor("local", 1))
    assert [*(crops / "out").glob("part-*")] == []
