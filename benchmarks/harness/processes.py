"""Other programs: found on the PATH, run to their end, their exit status and memory measured."""

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

_TIMEOUT_S = 1800.0  # a program that runs longer is killed; emulated ones take minutes


class MissingTool(OSError):
    """A program that a benchmark needs is not installed."""


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """A finished process.

    Attributes:
        status: exit status, or minus the number of the signal that ended it.
        output: what it wrote to standard output.
        error: what it wrote to standard error.
        peak_mb: its largest resident set, 10⁶ bytes; of an emulated program, the emulator's too.
    """

    status: int
    output: str
    error: str
    peak_mb: float

    @property
    def outcome(self) -> str:
        """`runs`, the name of the signal, or the last line of standard error."""
        if self.status == 0:
            return "runs"
        if self.status < 0:
            return (signal.strsignal(-self.status) or f"signal {-self.status}").lower()
        return last_line(self.error) or f"exit status {self.status}"


def last_line(text: str) -> str:
    """The last line of a program's output that is not blank, or ""."""
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""


def find_tool(name: str, package: str) -> str:
    """The path of a program.

    Args:
        name: of the program.
        package: the Debian package that installs it, for the message.

    Raises:
        MissingTool: it is not on the PATH.
    """
    path = shutil.which(name)
    if path is None:
        raise MissingTool(f"{name}: not found; install it with: apt-get install {package}")
    return path


def run_step(command: Sequence[str]) -> None:
    """Run a command that has to succeed.

    Raises:
        OSError: it failed; the message is the last line that it wrote.
    """
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        reason = last_line(done.stderr) or last_line(done.stdout) or "no message"
        raise OSError(f"{Path(command[0]).name}: {reason}")


def run_measured(
    command: Sequence[str], environment: dict[str, str], folder: Path
) -> ProcessResult:
    """Run a program to its end and measure its memory.

    Args:
        command: the program and its arguments.
        environment: variables to set besides those of this process.
        folder: the working directory.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as error:
        process = subprocess.Popen(
            command, stdout=output, stderr=error, cwd=folder, env={**os.environ, **environment}
        )
        timer = threading.Timer(_TIMEOUT_S, process.kill)
        timer.start()
        # Linux lets a child's peak start from the parent's memory, so callers have to be small.
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        peak_mb = round(usage.ru_maxrss * 1024 / 1e6, 1)
        return ProcessResult(process.returncode, _read(output), _read(error), peak_mb)


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
