"""Processes of this machine as a bulk run's workers: one for each, watched one by one.

A photo may end the process that looks at it, by a decoder's crash or for want of memory. What the
process was at is done again; if that happens twice, each of its photos is tried alone, and the ones
that kill count as failed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait

from edge.bulk.partitions import Partition
from edge.bulk.photos import Photo
from edge.bulk.worker import Done, Plan, Worker
from edge.errors import SourceError

_DYING = "workers end as soon as they start; is there memory for them? try fewer --workers"
_DEATHS = 2  # workers that may die at a partition before each of its photos is suspected


def run_processes(plan: Plan, partitions: Sequence[Partition], workers: int) -> Iterator[Done]:
    """Make partitions; closed early, it finishes those that are being made.

    Args:
        plan: what each worker is told.
        partitions: to make.
        workers: how many processes.

    Yields:
        What became of each, in any order.

    Raises:
        SourceError: workers cannot live.
    """
    free = [_Process(plan) for _ in range(min(workers, len(partitions)))]
    with ThreadPoolExecutor(workers) as threads:
        futures = [threads.submit(_make, free, partition) for partition in partitions]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            threads.shutdown(cancel_futures=True)
            for process in free:
                process.close()


def _make(free: list[_Process], partition: Partition) -> Done:
    process = free.pop()  # there are as many as threads
    try:
        return process.make(partition)
    finally:
        free.append(process)


class _Process:
    """A worker in a process of its own, and another one when it dies."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._pool = self._start()

    def make(self, partition: Partition) -> Done:
        for _ in range(_DEATHS):
            try:
                return self._pool.submit(_make_here, partition, frozenset()).result()
            except BrokenProcessPool:
                self._restart()
        deadly = frozenset(photo.name for photo in partition.photos if self._kills(photo))
        try:
            return self._pool.submit(_make_here, partition, deadly).result()
        except BrokenProcessPool:
            return Done(0, trouble=_DYING)

    def close(self) -> None:
        self._pool.shutdown()

    def _kills(self, photo: Photo) -> bool:
        try:
            self._pool.submit(_try_here, photo).result()
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
            raise SourceError(_DYING) from error  # whatever it is at, so that no photo is blamed

    def _start(self) -> ProcessPoolExecutor:
        # Not forked: the models' threads would not come along.
        fresh = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(1, fresh, _open_here, (self._plan,))


_here: list[Worker] = []  # the one worker of a process that was started for it


def _open_here(plan: Plan) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run is told, and ends this when it ends
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _here[:] = [Worker(plan)]


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)  # a run that was killed cannot say so


def _make_here(partition: Partition, deadly: frozenset[str]) -> Done:
    return _here[0].make(partition, deadly)


def _try_here(photo: Photo) -> None:
    _here[0].try_photo(photo)
