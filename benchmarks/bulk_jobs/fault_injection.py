"""Runs of `edge.bulk` that are watched, and broken: a worker killed, then the run itself."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_LOOK_EVERY = 0.05  # seconds
_WEIGH_EVERY = 1.0  # seconds
_WORKERS = (b"spawn_main", b"ray::MapWorker")  # in their command lines
# Ray uses 127.0.0.1 alone, where it otherwise takes the machine's own address.
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}


@dataclass(frozen=True, slots=True)
class Watched:
    """A run that has ended.

    Attributes:
        seconds: from start to end.
        status: exit status; negative where a signal ended it.
        said: what it said on standard error.
        peak_mb: what it and its workers held at most, 10⁶ bytes, each page counted for all that
            share it.
    """

    seconds: float
    status: int
    said: str
    peak_mb: float


class BulkCommand:
    """A run in a process of its own, with a folder to watch."""

    def __init__(self, arguments: Sequence[str], output: Path, cwd: Path) -> None:
        """Start it."""
        command = [sys.executable, "-m", "edge.bulk", *arguments, "-o", str(output)]
        root = str(Path(__file__).parents[2])
        self._output, self._start = output, time.perf_counter()
        self._process = subprocess.Popen(
            command, cwd=cwd, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **LOOPBACK, "PYTHONPATH": root},
        )  # fmt: skip

    def wait_for(self, partitions: int) -> bool:
        """Wait until that many are finished; False if the run ends before."""
        while self._process.poll() is None:
            if len([*self._output.glob("part-*")]) >= partitions:
                return True
            time.sleep(_LOOK_EVERY)
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

    def end(self) -> Watched:
        """Wait for its end."""
        peak, weighed = 0.0, 0.0
        while self._process.poll() is None:
            if time.monotonic() - weighed > _WEIGH_EVERY:
                peak, weighed = max(peak, _held_mb()), time.monotonic()
            time.sleep(_LOOK_EVERY)
        seconds = time.perf_counter() - self._start
        return Watched(seconds, self._process.returncode, self._process.communicate()[1], peak)


def break_and_resume(
    arguments: Sequence[str], output: Path, cwd: Path, partitions: int
) -> dict[str, Any]:
    """Kill a worker at a quarter of the partitions, the run at the half, and resume.

    Returns:
        Finished partitions when the run was killed, and what the resumed run said.

    Raises:
        ValueError: the run ended before it could be broken.
    """
    first = BulkCommand(arguments, output, cwd)
    broken = first.wait_for(partitions // 4) and first.kill_worker()
    if not (broken and first.wait_for(partitions // 2)):
        raise ValueError(f"the run ended before it was killed: {first.end().said}")
    first.kill()
    first.end()
    time.sleep(1.0)  # workers that are left over, if any, would write now
    finished = len([*output.glob("part-*")])
    second = BulkCommand([*arguments, "--resume"], output, cwd).end()
    return {"partitions_finished_when_killed": finished, "resumed": second}


def read_rows(output: Path) -> pa.Table:
    """All rows of a folder, in one order."""
    return pq.read_table(output).sort_by([("image", "ascending"), ("face", "ascending")])


@contextlib.contextmanager
def two_nodes(client_port: int | None = None) -> Iterator[str]:
    """A Ray cluster of two nodes with a core each, on this machine; its address.

    Args:
        client_port: where it also listens for ray://, if it does.
    """
    # Ray forks a server for each client while gRPC's threads run; with gRPC's handlers about one in
    # forty died at once, and the client with it.
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
    """The processes that a process has started, with theirs, by /proc."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, new = [], [pid]
    while new:
        new = [child for parent in new for child in children.get(parent, [])]
        found += new
    return found


def _is_worker(pid: int) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return any(name in command for name in _WORKERS)


def _held_mb() -> float:
    pages = 0
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            pages += int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
