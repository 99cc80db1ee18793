import signal
import sys

import pytest

from benchmarks.arm.qemu import (
    BOARDS,
    Ended,
    MissingTool,
    describe_board,
    emulate,
    emulator_version,
    find_tool,
    run_measured,
)


@pytest.mark.parametrize(
    ("status", "error", "verdict"),
    [
        (0, "a warning\n", "runs"),
        (-signal.SIGILL, "", "illegal instruction"),
        (-signal.SIGSEGV, "", "segmentation fault"),
        (1, "Traceback\nImportError: no numpy\n\n", "ImportError: no numpy"),
        (3, "", "exit status 3"),
    ],
)
def test_the_verdict_says_how_a_program_ended(status, error, verdict):
    assert Ended(status, "", error, 1.0).verdict == verdict


def test_a_program_is_run_to_its_end(tmp_path):
    program = "import os, sys; print(os.getcwd(), os.environ['WORD']); sys.stderr.write('x')"
    ended = run_measured([sys.executable, "-c", program], {"WORD": "ü"}, tmp_path)
    assert (ended.status, ended.output, ended.error) == (0, f"{tmp_path} ü\n", "x")


def test_a_programs_memory_is_seen(run_python):
    # Of a small process: Linux counts the memory of what starts a program towards it.
    program = (
        "import sys; from pathlib import Path; from benchmarks.arm.qemu import run_measured\n"
        "for size in (1, 400_000_000):\n"
        "    ended = run_measured([sys.executable, '-c', f'b\"1\" * {size}'], {}, Path())\n"
        "    print(ended.peak_mb)"
    )
    small, large = map(float, run_python("-c", program).stdout.split())
    assert small < 100
    assert 400 < large < 500


def test_a_signal_is_told_from_an_exit_status(tmp_path):
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGILL)"
    assert run_measured([sys.executable, "-c", kill], {}, tmp_path).verdict == "illegal instruction"
    assert run_measured([sys.executable, "-c", "raise SystemExit(3)"], {}, tmp_path).status == 3


def test_a_missing_tool_names_its_package(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        MissingTool, match=r"^debootstrap: not found; .*apt-get install debootstrap$"
    ):
        find_tool("debootstrap", "debootstrap")
    for call in (emulator_version, lambda: emulate(BOARDS[0], tmp_path, ["-c", ""])):
        with pytest.raises(MissingTool, match=r"apt-get install qemu-user-static$"):
            call()


def test_a_tree_tells_of_one_board_at_a_time(tmp_path):
    (tmp_path / "proc").symlink_to("/proc")  # as debootstrap leaves it
    for board, part, feature in zip(BOARDS, ("0xd08", "0xd0b"), (False, True), strict=True):
        describe_board(board, tmp_path)
        text = (tmp_path / "proc" / "cpuinfo").read_text("ascii")
        assert text.count("processor\t: ") == text.count(part) == 4
        assert ("asimddp" in text) == feature
        assert text.endswith(f"Model\t\t: {board.name}\n")
    cpus = tmp_path / "sys" / "devices" / "system" / "cpu"
    assert (cpus / "online").read_text("ascii") == "0-3\n"
    assert (cpus / "cpu3" / "topology" / "core_id").read_text("ascii") == "3\n"
    assert not (tmp_path / "proc").is_symlink()
