import pytest

from benchmarks import matrix
from benchmarks.arm.qemu import Ended


def pytest_said(text, status=0):
    return Ended(status, text, "", 1.0)


@pytest.mark.parametrize(
    ("ended", "row"),
    [
        (
            pytest_said("...\n345 passed, 2 skipped in 61.51s (0:01:01)\n"),
            {"passed": 345, "failed": 0, "skipped": 2, "ended": "passed"},
        ),
        (
            pytest_said("FAILED a\n1 failed, 3 passed in 1s\n", 1),
            {"passed": 3, "failed": 1, "skipped": 0, "ended": "1 failed, 3 passed in 1s"},
        ),
        (
            pytest_said("no tests ran in 0.01s\n", 5),
            {"passed": 0, "failed": 0, "skipped": 0, "ended": "no tests ran in 0.01s"},
        ),
        (
            Ended(-11, "", "", 1.0),
            {"passed": 0, "failed": 0, "skipped": 0, "ended": "segmentation fault"},
        ),
    ],
)
def test_pytests_last_line_is_counted(ended, row):
    assert matrix.count(ended) == row


def test_the_newest_are_not_pinned_and_the_lowest_are():
    assert matrix.requirements("3.12", "newest") == ["numpy", "onnxruntime", "pillow"]
    assert "numpy==1.26.0" in matrix.requirements("3.12", "lowest")


def test_a_python_that_is_not_there_is_a_row_that_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert matrix.find_python("3.12") is None
    row = matrix.try_out(tmp_path / "v", "3.12", "newest", tmp_path / "w.whl", tmp_path)
    assert row == {"python": "3.12", "set": "newest", "ended": "this Python is not installed here"}


def test_a_shim_that_runs_nothing_gives_way_to_pyenvs_own(tmp_path, monkeypatch):
    shim = tmp_path / "python3.12"
    shim.write_text("#!/bin/sh\nexit 127\n", "ascii")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert matrix.find_python("3.12") is None
    kept = tmp_path / "pyenv" / "versions" / "3.12.1" / "bin" / "python3.12"
    kept.parent.mkdir(parents=True)
    kept.write_text("#!/bin/sh\necho 3.12\n", "ascii")
    kept.chmod(0o755)
    assert matrix.find_python("3.12") == str(kept)
    assert matrix.find_python("3.13") is None


def test_the_tests_are_laid_out_without_the_package(tmp_path):
    stage = matrix.lay_out(tmp_path / "stage")
    assert (stage / "tests" / "edge" / "run" / "test_command.py").is_file()
    assert (stage / "edge" / "data" / "astronaut.jpg").is_file()
    assert not list(stage.glob("edge/*.py"))


def test_the_table_has_a_row_for_each():
    row = {
        "python": "3.12", "set": "lowest", "python_full": "3.12.1", "numpy": "1.26.0",
        "onnxruntime": "1.17.0", "pillow": "10.1.0", "passed": 345, "failed": 0, "skipped": 20,
        "ended": "passed",
    }  # fmt: skip
    rows = [
        row,
        {**row, "failed": 2, "ended": "2 failed, 345 passed"},
        {**row, "passed": 0, "ended": "no tests ran"},
        {"python": "3.13", "set": "newest", "ended": "this Python is not installed here"},
    ]
    assert matrix.table({"rows": rows}).splitlines()[2:] == [
        "| 3.12.1 | 1.26.0 | 1.17.0 | 10.1.0 | 345 passed, 20 skipped |",
        "| 3.12.1 | 1.26.0 | 1.17.0 | 10.1.0 | 345 passed, 2 failed, 20 skipped |",
        "| 3.12.1 | 1.26.0 | 1.17.0 | 10.1.0 | no tests ran |",
        "| 3.13 | – | – | – | newest: this Python is not installed here |",
    ]
