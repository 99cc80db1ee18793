"""Local executor: worker processes, each supervised by a thread.

An image may crash the process that decodes it or exhaust its memory (poison input). The partition
of a worker that died is retried; if a second worker dies, each of its photos is tried separately,
and those that crash the process count as failed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait

from edge.bulk.partitions import Partition
from edge.bulk.photos import Photo
from edge.bulk.worker import JobSpec, PartitionResult, Worker
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
    idle = [_WorkerProcess(spec) for _ in range(min(workers, len(partitions)))]
    with ThreadPoolExecutor(len(idle)) as threads:
        futures = [threads.submit(_compute, idle, partition) for partition in partitions]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            threads.shutdown(cancel_futures=True)
            for process in idle:
                process.close()


def _compute(idle: list[_WorkerProcess], partition: Partition) -> PartitionResult:
    process = idle.pop()  # there is one process per thread
    try:
        return process.compute(partition)
    finally:
        idle.append(process)


class _WorkerProcess:
    """A worker in its own process, which is restarted if it dies."""

    def __init__(self, spec: JobSpec) -> None:
        self._spec = spec
        self._pool = self._start()

    def compute(self, partition: Partition) -> PartitionResult:
        for _ in range(_ATTEMPTS):
            try:
                return self._pool.submit(_compute_in_worker, partition, frozenset()).result()
            except BrokenProcessPool:
                self._restart()
        poison = frozenset(photo.name for photo in partition.photos if self._crashes(photo))
        try:
            return self._pool.submit(_compute_in_worker, partition, poison).result()
        except BrokenProcessPool:
            return PartitionResult(0, error=_STARTUP_FAILURE)

    def close(self) -> None:
        self._pool.shutdown()

    def _crashes(self, photo: Photo) -> bool:
        try:
            self._pool.submit(_try_in_worker, photo).result()
        except BrokenProcessPool:
            self._restart()
            return True
        return False

    def _restart(self) -> None:
        self._pool.shutdown()
        self._pool = self._start()
        try:
            self._pool.submit(len, ()).result()
        except BrokenProcessPool as error:
            # It died before it had received a photo: no photo is to be marked as failed.
            raise SourceError(_STARTUP_FAILURE) from error

    def _start(self) -> ProcessPoolExecutor:
        # Spawned: a forked process would lack the threads of ONNX Runtime.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(1, context, _initialize_worker, (self._spec,))


_workers: list[Worker] = []  # in a worker process, its one worker


def _initialize_worker(spec: JobSpec) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process handles Ctrl-C
    warnings.filterwarnings("ignore", module="PIL")  # as in the main process, see `run_command`
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    _workers[:] = [Worker(spec)]


def _exit_with_parent() -> None:
    """Exit when the main process does; one that was killed cannot shut its workers down."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _compute_in_worker(partition: Partition, poison: frozenset[str]) -> PartitionResult:
    return _workers[0].compute(partition, poison)


def _try_in_worker(photo: Photo) -> None:
    _workers[0].try_photo(photo)
