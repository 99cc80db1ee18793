import os
import shutil
import socket
import subprocess
import sys
import textwrap
import time

import pytest
from PIL import Image

pytest.importorskip("ray")

import edge.bulk.command
from benchmarks.bulk_jobs.fault_injection import LOOPBACK, descendants, read_rows
from tests.conftest import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster():
    """Two nodes, held by a process of their own, which ends when its input does; two ways there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code = (
        "import sys; from benchmarks.bulk_jobs.fault_injection import two_nodes\n"
        f"with two_nodes({port}) as address: print(address, flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, **LOOPBACK, "PYTHONPATH": str(ROOT)}  # its workers have them too
    holder = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    yield {"direct": holder.stdout.readline().split()[-1], "client": f"ray://127.0.0.1:{port}"}
    nodes = descendants(holder.pid)
    holder.communicate(timeout=60)
    end = time.monotonic() + 30
    while left := [pid for pid in nodes if os.path.exists(f"/proc/{pid}")]:
        assert time.monotonic() < end, left
        time.sleep(0.1)


@pytest.fixture
def folder(sample, tmp_path, monkeypatch):
    """Four crops of the sample, two files that are no pictures."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    photo = Image.open(sample)
    for number in range(4):
        side = 200 + 10 * number
        photo.crop((130, 20, 130 + side, 20 + side)).save(tmp_path / "in" / f"{number}.png")
    (tmp_path / "in" / "empty.jpg").write_bytes(b"")
    (tmp_path / "in" / "text.jpg").write_text("no picture")
    return tmp_path


@pytest.fixture
def run(cluster, folder, run_python):
    """Run lines of Python that are connected to the cluster; returns what they print."""

    def call(code):
        begin = f"""
import ray
import edge.bulk.command
from edge.bulk.job import BulkRun
from edge.bulk.inputs import list_photos
from edge.bulk.executors import Engine
from tests.deadly import Deadly
ray.init({cluster["direct"]!r}, log_to_driver=False, logging_level="error")
"""
        done = run_python("-c", begin + textwrap.dedent(code), cwd=folder, **LOOPBACK)
        return (done.stdout + done.stderr).decode()

    return call


def read(path):
    return read_rows(path).to_pylist()


@pytest.fixture
def expected(folder):
    edge.bulk.command.main(["in", "-o", "expected", "--engine", "local", "--workers", "1"])
    rows = read("expected")
    assert [row["status"] for row in rows] == ["face"] * 4 + ["failed"] * 2
    return rows


@pytest.mark.parametrize("way", ["direct", "client"])
def test_a_cluster_gives_the_rows_of_this_machine(cluster, folder, expected, run_python, way):
    if way == "client":
        pytest.importorskip("grpc")  # of the extra `client` of Ray
    arguments = ["in", "-o", "out", "--partition", "1", "--address", cluster[way]]
    done = run_python("-m", "edge.bulk", *arguments, cwd=folder, **LOOPBACK)
    said = done.stderr.decode()
    assert done.returncode == 1, said
    assert "edge: 6 photos: 4 faces, 0 photos without a face, 2 failed; " in said
    assert read("out") == expected


def test_a_photo_that_ends_its_worker_fails_and_no_other(run, expected):
    Image.new("RGB", (1, 1)).save("in/2a.png")
    said = run("""
        bulk = BulkRun(Deadly(precision="fp32"), "out")
        bulk.begin(resume=False)
        bulk.run(list_photos(["in"]).photos, 3, Engine("ray", 2))
    """)
    assert "edge: 7 photos: 4 faces, 0 photos without a face, 3 failed; " in said
    rows = {row["image"]: row for row in read("out")}
    assert rows.pop("in/2a.png")["reason"].startswith("the process that looked at it ended")
    assert [*rows.values()] == expected


def test_what_the_machines_lack_is_said(run, folder):
    shutil.copy(ROOT / "edge" / "models" / "keypoints.onnx", "mine.onnx")
    said = run("""
        bulk = BulkRun(edge.FaceKeypoints(model="mine.onnx", precision="fp32"), "out")
        bulk.begin(resume=False)
        __import__("os").unlink("mine.onnx")
        bulk.run(list_photos(["in"]).photos, 3, Engine("ray", 2))
    """)
    last = said.strip().splitlines()[-1]
    assert last.startswith("edge.errors.SourceError: the cluster's workers fail: ")
    assert last.endswith("mine.onnx: no such model file; give the path of an .onnx file")


def test_a_folder_that_the_machines_do_not_share_is_said(run):
    said = run("""
        bulk = BulkRun(edge.FaceKeypoints(precision="fp32"), "memory://out")
        bulk.begin(resume=False)
        bulk.run(list_photos(["in"]).photos, 3, Engine("ray", 2))
    """)
    assert "SourceError: memory://out: what a worker wrote is not here" in said


def test_photos_of_a_dataset(run, expected):
    said = run("""
        import ray.data
        import pyarrow.parquet
        photos = list_photos(["in"]).photos
        items = [
            {"image": p.name, "at": p.address, "data": open(p.address, "rb").read()}
            for p in photos
        ]
        for column in ("at", "data"):
            rows = edge.bulk.process(ray.data.from_items(items), column)
            pyarrow.parquet.write_table(pyarrow.concat_tables(
                rows.iter_batches(batch_format="pyarrow")), column + ".parquet")
    """)
    assert os.path.isfile("data.parquet"), said
    assert read("at.parquet") == read("data.parquet") == expected


def test_a_dataset_that_is_read_has_a_core_whatever_the_workers(run, expected):
    said = run("""
        import ray.data
        where = __import__("os").path.abspath("in")
        photos = ray.data.read_binary_files(where, include_paths=True, override_num_blocks=4)
        rows = edge.bulk.process(photos.rename_columns({"path": "image"}), "bytes", workers=2)
        print(sorted(row["status"] for row in rows.take_all()))
    """)
    assert str(["face"] * 4 + ["failed"] * 2) in said


def test_a_column_of_neither_bytes_nor_addresses(run):
    said = run("""
        import ray.data
        rows = edge.bulk.process(ray.data.from_items([{"image": "a", "at": [1, 2]}]), "at")
        print([(row["image"], row["status"], row["reason"]) for row in rows.take_all()])
    """)
    assert "[('a', 'failed', 'the row holds no bytes and no address')]" in said


@pytest.mark.parametrize("error", ["ConnectionError", "ray.exceptions.AuthenticationError"])
def test_no_way_to_a_cluster(folder, run_python, error):
    code = f"""
import os
import sys
import ray
import edge.bulk.command
def init(*_, **__):
    os.write(2, b"Failed to get cluster ID")  # as Ray does, once a second
    raise {error}("ray client connection timeout\\nand more of it")
ray.init = init
sys.exit(edge.bulk.command.main(["in", "-o", "out", "--address", "ray://127.0.0.1:9"]))
"""
    done = run_python("-c", code, cwd=folder)
    assert done.returncode == 1
    said = done.stderr.decode()
    expected = (
        "edge: ray://127.0.0.1:9: no way to the cluster (ray client connection timeout); is it"
    )
    assert said.startswith(expected)
    assert said.endswith("if it asks for a token, is RAY_AUTH_MODE=token set here?\n")
    assert said.count("\n") == 1
