import sys
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.engines import environments
from benchmarks.engines.environments import ENGINES, install, versions


def test_a_missing_python_is_said_before_anything_is_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(environments, "find_python", lambda version: None)
    engine = replace(ENGINES["litert"], python="3.99")
    with pytest.raises(OSError, match=r"Python 3\.99 is not installed here"):
        install(engine, tmp_path / "env")
    assert not (tmp_path / "env").exists()


def test_versions_are_those_of_the_environment():
    assert versions(sys.executable, ["numpy>=1"]) == {"numpy": np.__version__}


def test_every_engine_has_a_function_of_the_worker():
    from benchmarks.engines import worker

    assert set(worker.ENGINES) == {"onnxruntime", *ENGINES}
