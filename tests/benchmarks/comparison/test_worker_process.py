import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from benchmarks.comparison.environments import METHODS, Environment, Method
from benchmarks.comparison.worker_process import Worker
from benchmarks.datasets.sample import SAMPLE
from edge.image import load_image


def environment(folder, script):
    """An environment whose interpreter is a shell script."""
    python = folder / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    return Environment(folder)


def test_a_worker_gets_the_methods_options(tmp_path):
    script = 'read request; echo "{\\"options\\": $3, \\"request\\": $request}"'
    method = Method("x", "edge", {"method": "edge", "precision": "fp32"})
    with Worker(method, environment(tmp_path, script), 2, tmp_path / "m.onnx") as worker:
        response = worker.ask("time", names=["a"])
    assert response == {
        "options": {**method.options, "threads": 2, "model": str(tmp_path / "m.onnx")},
        "request": {"request": "time", "names": ["a"]},
    }


def test_a_worker_that_logs_more_than_a_pipe_holds_is_not_blocked(tmp_path):
    script = "head -c 1000000 /dev/zero >&2; while read request; do echo '{\"mb\": 1}'; done"
    with (
        ThreadPoolExecutor(1) as pool,
        Worker(METHODS[0], environment(tmp_path, script), 1, None) as worker,
    ):
        # The limit is for the case that it blocks; leaving the block then ends the worker.
        assert pool.submit(worker.ask, "memory").result(timeout=60) == {"mb": 1}


def test_a_worker_that_fails_raises_the_last_line_of_its_errors(tmp_path):
    failing = environment(tmp_path, "echo one >&2; echo no such model >&2; exit 1")
    with (
        Worker(METHODS[0], failing, 1, None) as worker,
        pytest.raises(OSError, match=r"^no such model$"),
    ):
        worker.ask("memory")


def test_a_worker_is_terminated_when_the_block_raises(tmp_path):
    script = "while read request; do echo '{}'; done"
    worker = Worker(METHODS[0], environment(tmp_path, script), 1, None)

    def fail():
        with worker:
            assert worker.ask("memory") == {}
            assert worker.is_running
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not worker.is_running


@pytest.mark.slow
def test_our_method_finds_the_sample_in_a_process_of_its_own(tmp_path):
    np.savez(tmp_path / "images.npz", a=load_image(SAMPLE))
    # A link to the interpreter would lose the packages of this environment; "-I" is dropped.
    here = environment(tmp_path, f'shift\nexec "{sys.executable}" "$@"')
    method = Method("ours", "edge", {"method": "edge", "precision": "fp32"})
    with Worker(method, here, 1, None) as worker:
        response = worker.ask("predict", images=str(tmp_path / "images.npz"), names=["a"])
    ((face,),) = response["faces"]
    assert np.shape(face) == (15, 2)
    assert np.linalg.norm(np.array(face[10]) - [229, 127]) < 12
