"""Where images are processed: in threads of the server's process, or in processes of their own.

Threads share one interpreter, of which only the networks' runs are free: on two cores, eight
clients get 1.5 times as many results from two processes (docs/decisions/server-processes.md).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from edge.cli.worker_process import WorkerDied, WorkerProcess, available_processors
from edge.errors import SourceError
from edge.facekeypoints import FaceKeypoints
from edge.serve.image_processor import ImageProcessor

_P = ParamSpec("_P")
_T = TypeVar("_T")
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

    def __init__(self, detect: FaceKeypoints, count: int) -> None:
        """Start the first of up to `count` processes, and wait until it is ready.

        Raises:
            SourceError: it does not start.
        """
        self.count = count
        self._make = partial(ImageProcessor, detect)
        self._idle = [WorkerProcess(self._make)]
        self._started = list(self._idle)
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
        worker = self._take()
        try:
            return worker.call(function, *args, **kwargs)
        except WorkerDied:
            worker.restart()
            raise
        finally:
            self._idle.append(worker)

    def close(self) -> None:
        """See `Workers`."""
        for worker in self._started:
            worker.close()

    def _take(self) -> WorkerProcess[ImageProcessor]:
        try:
            return self._idle.pop()
        except IndexError:  # fewer are started than threads call
            worker = WorkerProcess(self._make)
            self._started.append(worker)
            return worker


def default_count() -> int:
    """One worker per processor that this process may use, up to `MAX_DEFAULT`."""
    return min(available_processors(), MAX_DEFAULT)


def open_workers(detect: FaceKeypoints, count: int | None) -> Workers:
    """The workers of a server: a thread of its own process if they are one, else processes.

    Args:
        detect: the open models.
        count: at least 1; None for `default_count`.

    Raises:
        SourceError: as `WorkerProcesses`.
    """
    count = default_count() if count is None else count
    return WorkerThreads(detect, 1) if count == 1 else WorkerProcesses(detect, count)
