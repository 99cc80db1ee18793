"""Runs aarch64 programs on an emulated Raspberry Pi processor, with QEMU's user mode.

QEMU determines the instruction set. `/proc/cpuinfo` and `/sys/devices/system/cpu` would show the
host's processor, so the root file system has those of the board. Time under emulation is not
representative and is not measured.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.processes import ProcessResult, find_tool, run_measured

PYTHON = "usr/bin/python3.11"  # in the root file system
_EMULATOR = "qemu-aarch64-static"
_PACKAGE = "qemu-user-static"
_CORES = 4
_CPU_MASK = f"0-{_CORES - 1}\n"


@dataclass(frozen=True, slots=True)
class Board:
    """A Raspberry Pi model.

    Attributes:
        name: of the model.
        processor: QEMU's name of it.
        cpuinfo: the entry of one of its four cores in `/proc/cpuinfo`.
    """

    name: str
    processor: str
    cpuinfo: str


BOARDS = (
    Board(
        "Raspberry Pi 4",
        "cortex-a72",
        "BogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU implementer\t: 0x41\n"
        "CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n",
    ),
    Board(
        "Raspberry Pi 5",
        "cortex-a76",
        "BogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp "
        "asimdhp cpuid asimdrdm lrcpc dcpop asimddp\nCPU implementer\t: 0x41\n"
        "CPU architecture: 8\nCPU variant\t: 0x4\nCPU part\t: 0xd0b\nCPU revision\t: 1\n",
    ),
)


def emulator_version() -> str:
    """The version of QEMU.

    Raises:
        MissingTool: it is not installed.
    """
    qemu = find_tool(_EMULATOR, _PACKAGE)
    done = subprocess.run([qemu, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]


def describe_board(board: Board, rootfs: Path) -> None:
    """Write a board's `/proc/cpuinfo` and CPU topology into a root file system."""
    proc, cpus = rootfs / "proc", rootfs / "sys" / "devices" / "system" / "cpu"
    if proc.is_symlink():  # debootstrap's first stage links it to the host's
        proc.unlink()
    for folder in (proc, cpus):
        folder.mkdir(parents=True, exist_ok=True)
    cores = [f"processor\t: {core}\n{board.cpuinfo}\n" for core in range(_CORES)]
    (proc / "cpuinfo").write_text("".join(cores) + f"Model\t\t: {board.name}\n", "ascii")
    for name in ("possible", "present", "online"):
        (cpus / name).write_text(_CPU_MASK, "ascii")
    for core in range(_CORES):
        topology = cpus / f"cpu{core}" / "topology"
        topology.mkdir(parents=True, exist_ok=True)
        (topology / "physical_package_id").write_text("0\n", "ascii")
        (topology / "core_id").write_text(f"{core}\n", "ascii")
        (topology / "cluster_cpus_list").write_text(_CPU_MASK, "ascii")


def emulate(
    board: Board,
    rootfs: Path,
    arguments: Sequence[str],
    site: Path | None = None,
    emulator: Sequence[str] = (_EMULATOR,),
) -> ProcessResult:
    """Run Python on a board's processor.

    Args:
        board: whose processor to emulate.
        rootfs: as `benchmarks.arm.rootfs.make_rootfs` creates it.
        arguments: of Python.
        site: folder of importable packages, or None.
        emulator: QEMU and further options of it.

    Raises:
        MissingTool: QEMU is not installed.
    """
    find_tool(emulator[0], _PACKAGE)
    describe_board(board, rootfs)
    command = [*emulator, "-L", str(rootfs), "-cpu", board.processor, str(rootfs / PYTHON)]
    environment = {"PYTHONPATH": str(site or ""), "PYTHONNOUSERSITE": "1"}
    return run_measured([*command, *arguments], environment, rootfs)
