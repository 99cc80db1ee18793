import signal
import sys

import pytest

from benchmarks.harness.processes import (
    MissingTool,
    ProcessResult,
    find_tool,
    last_line,
    run_measured,
    run_step,
)


@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        (0, "a warning\n", "runs"),
        (-signal.SIGILL, "", "illegal instruction"),
        (-signal.SIGSEGV, "", "segmentation fault"),
        (1, "Traceback\nImportError: no numpy\n\n", "ImportError: no numpy"),
        (3, "", "exit status 3"),
    ],
)
def test_the_outcome_is_success_a_signal_or_the_last_line_of_errors(status, error, outcome):
    assert ProcessResult(status, "", error, 1.0).outcome == outcome


def test_output_folder_and_environment_are_those_of_the_program(tmp_path):
    program = "import os, sys; print(os.getcwd(), os.environ['WORD']); sys.stderr.write('x')"
    result = run_measured([sys.executable, "-c", program], {"WORD": "ü"}, tmp_path)
    assert (result.status, result.output, result.error) == (0, f"{tmp_path} ü\n", "x")


def test_peak_memory_is_that_of_the_program(run_python):
    # Measured from a small process: a child's peak starts from the parent's memory.
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from benchmarks.harness.processes import run_measured\n"
        "for size in (1, 400_000_000):\n"
        "    result = run_measured([sys.executable, '-c', f'b\"1\" * {size}'], {}, Path())\n"
        "    print(result.peak_mb)"
    )
    small, large = map(float, run_python("-c", program).stdout.split())
    assert small < 100
    assert 400 < large < 500


def test_a_signal_is_distinguished_from_an_exit_status(tmp_path):
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGILL)"
    assert run_measured([sys.executable, "-c", kill], {}, tmp_path).outcome == "illegal instruction"
    assert run_measured([sys.executable, "-c", "raise SystemExit(3)"], {}, tmp_path).status == 3


def test_a_failed_step_raises_its_last_line():
    run_step(["sh", "-c", "true"])
    with pytest.raises(OSError, match=r"^sh: no space left$"):
        run_step(["sh", "-c", "echo begun >&2; echo no space left >&2; exit 3"])


def test_the_last_line_is_the_last_that_is_not_blank():
    assert last_line("one\ntwo\n\n") == "two"
    assert last_line(" \n") == ""


def test_a_missing_tool_names_its_package(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        MissingTool, match=r"^debootstrap: not found; install it with: apt-get install debootstrap$"
    ):
        find_tool("debootstrap", "debootstrap")
    tool = tmp_path / "debootstrap"
    tool.touch(0o755)
    assert find_tool("debootstrap", "debootstrap") == str(tool)
