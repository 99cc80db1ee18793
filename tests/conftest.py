"""What all tests share: made faces, made models, and a header that names the versions."""

import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "edge" / "data" / "astronaut.jpg"


def pytest_report_header():
    return (
        f"numpy {np.__version__}, onnxruntime {onnxruntime.__version__}, "
        f"providers {', '.join(onnxruntime.get_available_providers())}"
    )


@pytest.fixture(autouse=True, scope="session")
def cache(tmp_path_factory):
    """No test reads or writes the cache of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def sample():
    return SAMPLE


@pytest.fixture
def run_python(tmp_path):
    """Run `python -m …` in a fresh process in an empty folder; returns the finished process."""
    import os
    import subprocess

    def call(*arguments, cwd=tmp_path, stdin=None, **environment):
        variables = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=cwd,
            env={**variables, **environment},
            input=stdin,
            capture_output=True,
            timeout=300,
        )

    return call


@pytest.fixture(scope="session")
def training_csv(tmp_path_factory):
    from tests.made_faces import make_faces, write_csv

    images, keypoints = make_faces(24)
    keypoints[5, 3:] = np.nan
    return write_csv(tmp_path_factory.mktemp("data") / "training.csv", images, keypoints)


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory, training_csv):
    """A run of two epochs on 24 made faces."""
    from train.run import main

    folder = tmp_path_factory.mktemp("runs") / "tiny"
    assert main(["--data", str(training_csv), "-o", str(folder), "--epochs", "2"]) == 0
    return folder
