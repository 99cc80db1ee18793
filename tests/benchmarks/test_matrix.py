import re

import pytest

from benchmarks import matrix
from benchmarks.harness.processes import ProcessResult


def pytest_result(text, status=0):
    return ProcessResult(status, text, "", 1.0)


@pytest.mark.parametrize(
    ("result", "row"),
    [
        (
            pytest_result("...\n345 passed, 2 skipped in 61.51s (0:01:01)\n"),
            {"passed": 345, "failed": 0, "skipped": 2, "ended": "passed"},
        ),
        (
            pytest_result("FAILED a\n1 failed, 3 passed in 1s\n", 1),
            {"passed": 3, "failed": 1, "skipped": 0, "ended": "1 failed, 3 passed in 1s"},
        ),
        (
            pytest_result("no tests ran in 0.01s\n", 5),
            {"passed": 0, "failed": 0, "skipped": 0, "ended": "no tests ran in 0.01s"},
        ),
        (
            ProcessResult(-11, "", "", 1.0),
            {"passed": 0, "failed": 0, "skipped": 0, "ended": "segmentation fault"},
        ),
    ],
)
def test_tests_are_counted_from_pytests_last_line(result, row):
    assert matrix.count_outcomes(result) == row


def test_minimum_versions_are_pinned_and_newest_are_not():
    assert matrix.requirements("3.12", "newest") == ["numpy", "onnxruntime", "pillow"]
    assert "numpy==1.26.0" in matrix.requirements("3.12", "lowest")


def test_a_missing_python_is_a_row_with_the_reason(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert matrix.find_python("3.12") is None
    row = matrix.run_tests(tmp_path / "v", "3.12", "newest", tmp_path / "w.whl", tmp_path)
    assert row == {"python": "3.12", "set": "newest", "ended": "this Python is not installed here"}


def test_a_shim_without_an_interpreter_is_skipped_for_pyenvs(tmp_path, monkeypatch):
    shim = tmp_path / "python3.12"
    shim.write_text("#!/bin/sh\nexit 127\n", "ascii")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert matrix.find_python("3.12") is None
    interpreter = tmp_path / "pyenv" / "versions" / "3.12.1" / "bin" / "python3.12"
    interpreter.parent.mkdir(parents=True)
    interpreter.write_text("#!/bin/sh\necho 3.12\n", "ascii")
    interpreter.chmod(0o755)
    assert matrix.find_python("3.12") == str(interpreter)
    assert matrix.find_python("3.13") is None


def test_the_tests_are_copied_without_the_package(tmp_path):
    stage = matrix.copy_tests(tmp_path / "stage")
    assert (stage / "tests" / "edge" / "run" / "test_command.py").is_file()
    assert (stage / "edge" / "data" / "astronaut.jpg").is_file()
    assert not list(stage.glob("edge/*.py"))


def test_the_table_has_a_row_for_each_environment():
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


def test_what_the_tests_of_edge_import_of_the_others_is_copied(tmp_path):
    tests = matrix.copy_tests(tmp_path) / "tests"
    for path in tests.rglob("*.py"):
        for name in re.findall(r"^from tests\.(\w+)", path.read_text("utf-8"), re.MULTILINE):
            assert (tests / name).is_dir() or (tests / f"{name}.py").is_file(), f"{path}: {name}"
