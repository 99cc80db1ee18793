"""Runs aarch64 programs as a Raspberry Pi's processor would, with QEMU's user mode.

QEMU decides which instructions there are; what Linux tells of the board in `/proc/cpuinfo` and
`/sys/devices/system/cpu` it would take from the machine it runs on, so the tree holds a Pi's. Time
under emulation says nothing of a Pi's, and nothing here measures it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PYTHON = "usr/bin/python3.11"  # of the tree
_EMULATOR, _PACKAGE = "qemu-aarch64-static", "qemu-user-static"
_LIMIT_S = 1800.0  # after which a program under emulation is taken to hang


class MissingTool(OSError):
    """A program that this needs is not installed."""


@dataclass(frozen=True, slots=True)
class Board:
    """A Raspberry Pi.

    Attributes:
        name: as its owners call it.
        processor: as QEMU calls it.
        cpuinfo: what Linux says of one of its four cores on the board itself.
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
_CORES = 4


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended.

    Attributes:
        status: exit status, or minus the number of the signal that ended it.
        output: what it wrote to standard output.
        error: what it wrote to standard error.
        peak_mb: the most memory it held, 10⁶ bytes; under emulation with the emulator's own.
    """

    status: int
    output: str
    error: str
    peak_mb: float

    @property
    def verdict(self) -> str:
        """Runs; otherwise the name of the signal, or the last line of standard error."""
        if self.status == 0:
            return "runs"
        if self.status < 0:
            return (signal.strsignal(-self.status) or f"signal {-self.status}").lower()
        lines = self.error.strip().splitlines()
        return lines[-1] if lines else f"exit status {self.status}"


def find_tool(name: str, package: str) -> str:
    """The path of a program.

    Raises:
        MissingTool: it is not installed; the message names Debian's package.
    """
    path = shutil.which(name)
    if path is None:
        raise MissingTool(f"{name}: not found; install it with: apt-get install {package}")
    return path


def emulator_version() -> str:
    """The version of QEMU that runs the programs.

    Raises:
        MissingTool: it is not installed.
    """
    qemu = find_tool(_EMULATOR, _PACKAGE)
    shown = subprocess.run([qemu, "--version"], capture_output=True, text=True, check=True).stdout
    return shown.splitlines()[0]


def describe_board(board: Board, tree: Path) -> None:
    """Write what Linux says of a board's processor into a tree, in place of another board's."""
    proc, cpus = tree / "proc", tree / "sys" / "devices" / "system" / "cpu"
    if proc.is_symlink():  # debootstrap's first stage leaves a link to the machine's own
        proc.unlink()
    for folder in (proc, cpus):
        folder.mkdir(parents=True, exist_ok=True)
    cores = [f"processor\t: {core}\n{board.cpuinfo}\n" for core in range(_CORES)]
    (proc / "cpuinfo").write_text("".join(cores) + f"Model\t\t: {board.name}\n", "ascii")
    everyone = f"0-{_CORES - 1}\n"
    for name in ("possible", "present", "online"):
        (cpus / name).write_text(everyone, "ascii")
    for core in range(_CORES):
        topology = cpus / f"cpu{core}" / "topology"
        topology.mkdir(parents=True, exist_ok=True)
        (topology / "physical_package_id").write_text("0\n", "ascii")
        (topology / "core_id").write_text(f"{core}\n", "ascii")
        (topology / "cluster_cpus_list").write_text(everyone, "ascii")


def emulate(
    board: Board,
    tree: Path,
    arguments: Sequence[str],
    site: Path | None = None,
    emulator: Sequence[str] = (_EMULATOR,),
) -> Ended:
    """Run the tree's Python on a board's processor.

    Args:
        board: whose processor.
        tree: as `benchmarks.arm.rootfs.make_tree` makes it.
        arguments: of Python.
        site: folder with the packages it may import, or None.
        emulator: QEMU, with options of its own.

    Returns:
        How it ended.

    Raises:
        MissingTool: QEMU is not installed.
    """
    find_tool(emulator[0], _PACKAGE)
    describe_board(board, tree)
    command = [*emulator, "-L", str(tree), "-cpu", board.processor, str(tree / PYTHON), *arguments]
    return run_measured(command, {"PYTHONPATH": str(site or ""), "PYTHONNOUSERSITE": "1"}, tree)


def run_measured(command: Sequence[str], environment: dict[str, str], folder: Path) -> Ended:
    """Run a program to its end, and see how much memory it held.

    Args:
        command: the program and its arguments.
        environment: variables besides those of this process.
        folder: in which it runs.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as error:
        process = subprocess.Popen(
            command, stdout=output, stderr=error, cwd=folder, env={**os.environ, **environment}
        )
        timer = threading.Timer(_LIMIT_S, process.kill)
        timer.start()
        # Linux counts the memory of this process towards what it starts; the commands are small.
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        peak_mb = round(usage.ru_maxrss * 1024 / 1e6, 1)
        return Ended(process.returncode, _text(output), _text(error), peak_mb)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
