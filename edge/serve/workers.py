"""The workers that process images: threads of the server process, or separate processes.

Threads share one interpreter, of which only the networks' runs are free: on two cores, eight
clients get 1.3 to 1.5 times as many results from two processes, see
docs/decisions/server-processes.md.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from edge.cli.worker_process import (
    WorkerDied,
    WorkerNotStarted,
    WorkerProcess,
    available_processors,
)
from edge.errors import SourceError
from edge.facekeypoints import FaceKeypoints
from edge.serve.image_processor import ImageProcessor

_P = ParamSpec("_P")
_T = TypeVar("_T")
_ATTEMPTS = 2  # at a call that a worker died before, of no fault of the call
MAX_DEFAULT = 4  # workers by default: each may hold a large decoded image


class Workers(Protocol):
    """Several image processors.

    Attributes:
        count: how many calls are worked on at once.
    """

    count: int

    def call(
        self, function: Callable[Concatenate[ImageProcessor, _P], _T],
        *args: _P.args, **kwargs: _P.kwargs,
    ) -> _T:  # fmt: skip
        """The result of a method of `ImageProcessor`, from one of at most `count` threads.

        Raises:
            WorkerDied: the worker died, and is replaced; and whatever the method raises.
        """

    def close(self) -> None:
        """End the workers; none may be working."""


class WorkerThreads:
    """Workers that are threads of this process: they share its networks."""

    def __init__(self, detect: FaceKeypoints, count: int | None = None) -> None:
        """Process images with `detect`, up to `count` at once, by default `default_count`."""
        self.count = default_count() if count is None else count
        self._processor = ImageProcessor(detect)

    def call(
        self, function: Callable[Concatenate[ImageProcessor, _P], _T],
        *args: _P.args, **kwargs: _P.kwargs,
    ) -> _T:  # fmt: skip
        """See `Workers`."""
        return function(self._processor, *args, **kwargs)

    def close(self) -> None:
        """See `Workers`."""


class WorkerProcesses:
    """Workers that are processes: each opens the networks again, and a crash ends only one.

    The first is started at once, another when a call finds all of them working.
    """

    def __init__(self, detect: FaceKeypoints, count: int, max_seconds: float | None = None) -> None:
        """Start the first of up to `count` processes, and wait until it is ready.

        Args:
            detect: the open models, which each process opens again.
            count: the largest number of processes.
            max_seconds: for one call, after which its process is killed; None: no limit.

        Raises:
            SourceError: it does not start.
        """
        self.count = count
        self._make = partial(WorkerProcess, partial(ImageProcessor, detect), max_seconds)
        self._idle = [self._make()]
        self._started = list(self._idle)
        self._closed = False
        try:
            self._idle[0].wait_until_ready()
        except WorkerDied as died:
            self.close()
            raise SourceError(
                "no worker process starts, possibly for lack of memory; try --workers 1"
            ) from died

    def call(
        self, function: Callable[Concatenate[ImageProcessor, _P], _T],
        *args: _P.args, **kwargs: _P.kwargs,
    ) -> _T:  # fmt: skip
        """See `Workers`."""
        for _ in range(_ATTEMPTS):
            worker = self._take()
            try:
                return worker.call(function, *args, **kwargs)
            except WorkerNotStarted:
                worker.restart()
            except WorkerDied:
                worker.restart()
                raise
            finally:  # those that are ready are taken first, from the end
                self._idle.insert(len(self._idle) if worker.is_ready else 0, worker)
        raise WorkerDied

    def close(self) -> None:
        """See `Workers`."""
        self._closed = True
        for worker in self._started:
            worker.close()

    def _take(self) -> WorkerProcess[ImageProcessor]:
        if self._closed:
            raise WorkerDied
        try:
            return self._idle.pop()
        except IndexError:  # fewer are started than threads call
            worker = self._make()
            self._started.append(worker)
            return worker


def default_count() -> int:
    """One worker per processor that this process may use, up to `MAX_DEFAULT`."""
    return min(available_processors(), MAX_DEFAULT)


def open_workers(
    detect: FaceKeypoints, count: int | None, max_seconds: float | None = None
) -> Workers:
    """The workers of a server: a thread of its own process if they are one, else processes.

    Args:
        detect: the open models.
        count: at least 1; None for `default_count`.
        max_seconds: as for `WorkerProcesses`.

    Raises:
        SourceError: as `WorkerProcesses`.
    """
    count = default_count() if count is None else count
    return WorkerThreads(detect, 1) if count == 1 else WorkerProcesses(detect, count, max_seconds)
