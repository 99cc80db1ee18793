"""Runs of `edge.bulk` in a process of their own, measured and interrupted: fault injection."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

_POLL_S = 0.05
_MEMORY_INTERVAL_S = 0.2  # between measurements of memory
_ORPHAN_WAIT_S = 1.0  # in which workers that survived their run would write
_WORKER_COMMANDS = (b"spawn_main", b"ray::MapWorker")  # substrings of workers' command lines
# Makes Ray bind to 127.0.0.1 alone, and not to the machine's own address.
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run that has ended.

    Attributes:
        seconds: duration.
        status: exit status; negative if a signal ended it.
        stderr: what it wrote to standard error.
        peak_mb: maximum resident memory of the run and its workers, 10⁶ bytes; a shared page is
            counted for each process that maps it.
    """

    seconds: float
    status: int
    stderr: str
    peak_mb: float


@dataclass(frozen=True, slots=True)
class ResumedRun:
    """A run that was killed, and its continuation.

    Attributes:
        finished: number of finished partitions when the run was killed.
        resumed: the run that continued it.
    """

    finished: int
    resumed: FinishedRun


class BulkCommand:
    """A run of `edge.bulk` in a process of its own."""

    def __init__(self, arguments: Sequence[str], output: Path, cwd: Path) -> None:
        """Start the run; `output` is its folder of results."""
        command = [sys.executable, "-m", "edge.bulk", *arguments, "-o", str(output)]
        root = str(Path(__file__).parents[2])
        self._output = output
        # A file, as a pipe that nobody reads would block the run when it is full.
        self._stderr = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (see `wait`)
        self._start = time.perf_counter()
        self._process = subprocess.Popen(
            command, cwd=cwd, stderr=self._stderr,
            env={**os.environ, **LOOPBACK, "PYTHONPATH": root},
        )  # fmt: skip

    def wait_for(self, partitions: int) -> bool:
        """Wait for a number of finished partitions; False if the run ends before."""
        while self._process.poll() is None:
            if _count_partitions(self._output) >= partitions:
                return True
            time.sleep(_POLL_S)
        return False

    def kill_worker(self) -> bool:
        """Kill one worker; False if there is none."""
        workers = [pid for pid in descendants(os.getpid()) if _is_worker(pid)]
        if workers:
            os.kill(workers[0], signal.SIGKILL)
        return bool(workers)

    def kill(self) -> None:
        """Kill the run itself."""
        self._process.kill()

    def wait(self) -> FinishedRun:
        """Wait for the end of the run."""
        peak_mb = 0.0
        measured = -_MEMORY_INTERVAL_S
        while self._process.poll() is None:
            if time.monotonic() - measured > _MEMORY_INTERVAL_S:
                peak_mb = max(peak_mb, _resident_mb())
                measured = time.monotonic()
            time.sleep(_POLL_S)
        seconds = time.perf_counter() - self._start
        with self._stderr as file:
            file.seek(0)
            return FinishedRun(seconds, self._process.returncode, file.read(), peak_mb)


def kill_and_resume(
    arguments: Sequence[str], output: Path, cwd: Path, partitions: int
) -> ResumedRun:
    """Kill a worker after a quarter of the partitions, the run after half of them, and resume it.

    Raises:
        ValueError: the run ended before it could be killed.
    """
    first = BulkCommand(arguments, output, cwd)
    worker_killed = first.wait_for(partitions // 4) and first.kill_worker()
    if not (worker_killed and first.wait_for(partitions // 2)):
        raise ValueError(f"the run ended before it was killed: {first.wait().stderr}")
    first.kill()
    first.wait()
    time.sleep(_ORPHAN_WAIT_S)
    finished = _count_partitions(output)
    return ResumedRun(finished, BulkCommand([*arguments, "--resume"], output, cwd).wait())


def read_rows(output: Path) -> pa.Table:
    """All rows of an output folder, sorted by photo and face."""
    return pq.read_table(output).sort_by([("image", "ascending"), ("face", "ascending")])


@contextlib.contextmanager
def two_node_cluster(client_port: int | None = None) -> Iterator[str]:
    """Start a Ray cluster of two nodes with one core each on this machine.

    Args:
        client_port: port for connections by `ray://`; None for none.

    Yields:
        Its address.
    """
    # Ray forks a server for each client while gRPC's threads run; with gRPC's fork handlers about
    # one in forty crashed at once, and the client with it.
    os.environ.update(LOOPBACK, GRPC_ENABLE_FORK_SUPPORT="0")
    from ray.cluster_utils import Cluster

    node = {
        "num_cpus": 1, "node_ip_address": "127.0.0.1", "object_store_memory": 100_000_000,
        "include_dashboard": False,
    }  # fmt: skip
    head = {**node, "ray_client_server_port": client_port} if client_port else node
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        cluster.add_node(**node)
        yield str(cluster.address)
    finally:
        cluster.shutdown()


def descendants(pid: int) -> list[int]:
    """Process ids of the children of a process and of their descendants, from /proc."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # the process has ended meanwhile
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    pids: list[int] = []
    generation = [pid]
    while generation:
        generation = [child for parent in generation for child in children.get(parent, [])]
        pids += generation
    return pids


def _count_partitions(output: Path) -> int:
    return len([*output.glob("part-*")])


def _is_worker(pid: int) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return any(name in command for name in _WORKER_COMMANDS)


def _resident_mb() -> float:
    pages = 0
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):  # the process has ended meanwhile
            pages += int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
