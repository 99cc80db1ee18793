"""Fixtures of the bulk tests: folders of photos, object storage in memory, and a Ray cluster."""

import os
import socket
import subprocess
import sys
import textwrap
import time

import pytest
from PIL import Image

from tests.conftest import ROOT


@pytest.fixture
def crops(sample, tmp_path, monkeypatch):
    """A working folder with five photos of one face each: `in/0.png` to `in/4.png`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    photo = Image.open(sample)
    for number in range(5):
        side = 200 + 10 * number
        photo.crop((130, 20, 130 + side, 20 + side)).save(tmp_path / "in" / f"{number}.png")
    return tmp_path


@pytest.fixture
def memory():
    """Object storage in memory, empty before and after."""
    fsspec = pytest.importorskip("fsspec")
    files = fsspec.filesystem("memory")
    files.store.clear()
    files.pseudo_dirs[:] = [""]
    yield files
    files.store.clear()


@pytest.fixture(scope="module")
def cluster():
    """Two addresses of a Ray cluster of two nodes, held by a process that ends with its input."""
    pytest.importorskip("ray")
    from benchmarks.bulk_jobs.fault_injection import LOOPBACK, descendants

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    code = (
        "import sys; from benchmarks.bulk_jobs.fault_injection import two_node_cluster\n"
        f"with two_node_cluster({port}) as address: print(address, flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, **LOOPBACK, "PYTHONPATH": str(ROOT)}  # inherited by the workers
    holder = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    yield {"direct": holder.stdout.readline().split()[-1], "client": f"ray://127.0.0.1:{port}"}
    nodes = descendants(holder.pid)
    holder.communicate(timeout=60)
    deadline = time.monotonic() + 30
    while remaining := [pid for pid in nodes if os.path.exists(f"/proc/{pid}")]:
        assert time.monotonic() < deadline, remaining
        time.sleep(0.1)


@pytest.fixture
def run_on_cluster(cluster, crops, run_python):
    """Run Python code in a process that is connected to the cluster; returns its output."""
    from benchmarks.bulk_jobs.fault_injection import LOOPBACK

    prologue = f"""
import ray
import edge.bulk.command
from edge.bulk.executors import Executor
from edge.bulk.inputs import list_photos
from edge.bulk.job import BulkJob
from tests.poison_input import CrashingDetector
ray.init({cluster["direct"]!r}, log_to_driver=False, logging_level="error")
"""

    def call(code):
        done = run_python("-c", prologue + textwrap.dedent(code), cwd=crops, **LOOPBACK)
        return (done.stdout + done.stderr).decode()

    return call


@pytest.fixture
def expected(crops):
    """Rows of the local executor for five photos and two files that are no images."""
    import edge.bulk.command
    from benchmarks.bulk_jobs.fault_injection import read_rows

    (crops / "in" / "empty.jpg").write_bytes(b"")
    (crops / "in" / "text.jpg").write_text("no picture")
    edge.bulk.command.main(["in", "-o", "expected", "--engine", "local", "--workers", "1"])
    rows = read_rows(crops / "expected").to_pylist()
    assert [row["status"] for row in rows] == ["face"] * 5 + ["failed"] * 2
    return rows
