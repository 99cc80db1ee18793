import pytest

from benchmarks.arm.qemu import BOARDS, describe_board, emulate, emulator_version
from benchmarks.harness.processes import MissingTool


def test_without_the_emulator_its_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    for call in (emulator_version, lambda: emulate(BOARDS[0], tmp_path, ["-c", ""])):
        with pytest.raises(MissingTool, match=r"apt-get install qemu-user-static$"):
            call()


def test_the_root_file_system_describes_one_board_at_a_time(tmp_path):
    (tmp_path / "proc").symlink_to("/proc")  # as debootstrap creates it
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


def test_the_emulator_runs_the_root_file_systems_python_on_the_boards_processor(
    tmp_path, monkeypatch
):
    emulator = tmp_path / "bin" / "qemu-aarch64-static"
    emulator.parent.mkdir()
    emulator.write_text('#!/bin/sh\necho "$@" "[$PYTHONPATH]"\n', "ascii")
    emulator.chmod(0o755)
    monkeypatch.setenv("PATH", f"{emulator.parent}:/bin:/usr/bin")
    rootfs = tmp_path / "tree"
    result = emulate(BOARDS[1], rootfs, ["-c", "pass"], tmp_path / "site")
    assert result.output == (
        f"-L {rootfs} -cpu cortex-a76 {rootfs}/usr/bin/python3.11 -c pass [{tmp_path}/site]\n"
    )
