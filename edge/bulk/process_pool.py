"""Local executor: worker processes, each supervised by a thread.

An image may crash the process that decodes it or exhaust its memory (poison input). The partition
of a worker that died is retried; if a second worker dies, each of its photos is tried separately,
and those that crash the process count as failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial

from edge.bulk.partitions import Partition
from edge.bulk.photos import Photo
from edge.bulk.worker import JobSpec, PartitionResult, Worker
from edge.cli.worker_process import WorkerDied, WorkerProcess
from edge.errors import SourceError

_STARTUP_FAILURE = (
    "worker processes exit at startup, possibly for lack of memory; try fewer --workers"
)
_ATTEMPTS = 2  # at a whole partition, before its photos are tried separately


def run_processes(
    spec: JobSpec, partitions: Sequence[Partition], workers: int
) -> Iterator[PartitionResult]:
    """Compute partitions; when closed early, those in progress are finished.

    Args:
        spec: what each worker needs to know of the job.
        partitions: the partitions to compute.
        workers: maximum number of processes.

    Yields:
        The result of each partition, in any order.

    Raises:
        SourceError: worker processes do not start.
    """
    idle = [_Supervisor(spec) for _ in range(min(workers, len(partitions)))]
    with ThreadPoolExecutor(len(idle)) as threads:
        futures = [threads.submit(_compute, idle, partition) for partition in partitions]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            threads.shutdown(cancel_futures=True)
            for supervisor in idle:
                supervisor.close()


def _compute(idle: list[_Supervisor], partition: Partition) -> PartitionResult:
    supervisor = idle.pop()  # there is one per thread
    try:
        return supervisor.compute(partition)
    finally:
        idle.append(supervisor)


class _Supervisor:
    """Has a worker process compute partitions, and restarts it if it dies."""

    def __init__(self, spec: JobSpec) -> None:
        self._process = WorkerProcess(partial(Worker, spec))

    def compute(self, partition: Partition) -> PartitionResult:
        for _ in range(_ATTEMPTS):
            try:
                return self._process.call(Worker.compute, partition)
            except WorkerDied:
                self._restart()
        poison = frozenset(photo.name for photo in partition.photos if self._crashes(photo))
        try:
            return self._process.call(Worker.compute, partition, poison)
        except WorkerDied:
            return PartitionResult(0, error=_STARTUP_FAILURE)

    def close(self) -> None:
        self._process.close()

    def _crashes(self, photo: Photo) -> bool:
        try:
            self._process.call(Worker.try_photo, photo)
        except WorkerDied:
            self._restart()
            return True
        return False

    def _restart(self) -> None:
        self._process.restart()
        try:
            self._process.wait_until_ready()
        except WorkerDied as died:
            # It died before it had received a photo: no photo is to be marked as failed.
            raise SourceError(_STARTUP_FAILURE) from died
