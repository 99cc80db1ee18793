import shutil

import pytest
from PIL import Image

pytest.importorskip("ray")

from benchmarks.bulk_jobs.fault_injection import LOOPBACK, read_rows
from tests.conftest import ROOT

pytestmark = pytest.mark.slow


def read(path):
    return read_rows(path).to_pylist()


@pytest.mark.parametrize("connection", ["direct", "client"])
def test_a_cluster_has_the_rows_of_the_local_executor(
    cluster, crops, expected, run_python, connection
):
    if connection == "client":
        pytest.importorskip("grpc")  # of the extra `client` of Ray
    arguments = ["in", "-o", "out", "--partition", "1", "--address", cluster[connection]]
    done = run_python("-m", "edge.bulk", *arguments, cwd=crops, **LOOPBACK)
    err = done.stderr.decode()
    assert done.returncode == 1, err
    assert "edge: 7 photos: 5 faces, 0 photos without a face, 2 failed; " in err
    assert read("out") == expected


def test_poison_input_fails_and_the_other_photos_are_processed(run_on_cluster, expected):
    Image.new("RGB", (1, 1)).save("in/2a.png")
    output = run_on_cluster("""
        job = BulkJob(CrashingDetector(precision="fp32"), "out")
        job.prepare(resume=False)
        job.run(list_photos(["in"]).photos, 3, Executor("ray", 2))
    """)
    assert "edge: 8 photos: 5 faces, 0 photos without a face, 3 failed; " in output
    rows = {row["image"]: row for row in read("out")}
    assert rows.pop("in/2a.png")["reason"].startswith("the process that looked at it ended")
    assert [*rows.values()] == expected


def test_an_error_of_the_workers_is_reported(run_on_cluster):
    shutil.copy(ROOT / "edge" / "models" / "keypoints.onnx", "mine.onnx")
    output = run_on_cluster("""
        job = BulkJob(edge.FaceKeypoints(model="mine.onnx", precision="fp32"), "out")
        job.prepare(resume=False)
        __import__("os").unlink("mine.onnx")
        job.run(list_photos(["in"]).photos, 3, Executor("ray", 2))
    """)
    last = output.strip().splitlines()[-1]
    assert last.startswith("edge.errors.SourceError: the cluster's workers fail: ")
    assert last.endswith("mine.onnx: no such model file; give the path of an .onnx file")


def test_a_folder_that_the_machines_do_not_share_is_an_error(run_on_cluster):
    output = run_on_cluster("""
        job = BulkJob(edge.FaceKeypoints(precision="fp32"), "memory://out")
        job.prepare(resume=False)
        job.run(list_photos(["in"]).photos, 3, Executor("ray", 2))
    """)
    assert "SourceError: memory://out: a partition that a worker wrote is not in this" in output


@pytest.mark.parametrize("error", ["ConnectionError", "ray.exceptions.AuthenticationError"])
def test_a_cluster_that_cannot_be_reached_is_one_line(crops, run_python, error):
    code = f"""
import os
import sys
import ray
import edge.bulk.command
def init(*_, **__):
    os.write(2, b"Failed to get cluster ID")  # as Ray does, once a second
    raise {error}("ray client connection timeout\\nand more")
ray.init = init
sys.exit(edge.bulk.command.main(["in", "-o", "out", "--address", "ray://127.0.0.1:9"]))
"""
    done = run_python("-c", code, cwd=crops)
    assert done.returncode == 1
    err = done.stderr.decode()
    assert err.startswith(
        "edge: ray://127.0.0.1:9: cannot reach the cluster (ray client connection timeout); check "
    )
    assert err.endswith("if it requires a token, that RAY_AUTH_MODE=token is set here\n")
    assert err.count("\n") == 1
