import os
import subprocess
import sys

import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("fsspec")

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from benchmarks.bulk_jobs.fault_injection import (
    BulkCommand,
    descendants,
    kill_and_resume,
    read_rows,
)

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="reads processes from /proc"
)


@pytest.fixture
def folder(tmp_path):
    """One photo without a face, and a file that is no image."""
    (tmp_path / "in").mkdir()
    Image.new("RGB", (40, 40), "grey").save(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "b.png").write_text("no picture")
    return tmp_path


def test_descendants_are_children_and_their_children():
    code = (
        "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'input()']);"
        "print(child.pid, flush=True); child.wait()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    grandchild = int(parent.stdout.readline())
    assert descendants(parent.pid) == [grandchild]
    assert {parent.pid, grandchild} <= set(descendants(os.getpid()))
    parent.communicate("\n", timeout=60)
    assert descendants(parent.pid) == []


def test_rows_are_sorted_by_photo_and_face(tmp_path):
    pq.write_table(pa.table({"image": ["b", "a"], "face": [0, 1]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"image": ["a", "c"], "face": [0, None]}), tmp_path / "2.parquet")
    assert read_rows(tmp_path).to_pylist() == [
        {"image": "a", "face": 0}, {"image": "a", "face": 1}, {"image": "b", "face": 0},
        {"image": "c", "face": None},
    ]  # fmt: skip


@pytest.mark.slow
def test_a_finished_run_has_its_status_and_messages(folder):
    command = BulkCommand(["in", "--engine", "local"], folder / "out", folder)
    finished = command.wait()
    assert not command.wait_for(1)  # it has ended
    assert finished.status == 1
    assert finished.stderr.startswith("edge: 2 photos: 0 faces, 1 photos without a face, 1 failed;")
    assert finished.seconds > 0
    assert finished.peak_mb > 10  # an interpreter with NumPy takes more


@pytest.mark.slow
def test_a_run_that_ends_before_it_is_killed_is_an_error(folder):
    with pytest.raises(ValueError, match=r"the run ended before it was killed: edge: .*no-such"):
        kill_and_resume(["in", "--model", "no-such.onnx"], folder / "out", folder, 4)
