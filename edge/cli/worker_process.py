"""A worker process: functions are called in it one after another, and it may die of one of them.

`concurrent.futures.ProcessPoolExecutor` hands each call through two more threads: 0.4 ms of CPU
time for a photo of 70 kB, of which the pipe used here takes 0.1 ms.
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

_Subject = TypeVar("_Subject")
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class WorkerDied(Exception):
    """The process ended before it answered: it crashed, or ran out of memory."""


class WorkerProcess(Generic[_Subject]):
    """An object in a process of its own; for one thread at a time.

    The process ignores Ctrl-C and SIGTERM, which are the main process's to handle, and ends with
    that or by `close`.
    """

    def __init__(self, make: Callable[[], _Subject]) -> None:
        """Start the process, without waiting for it; there it calls `make`, a picklable."""
        self._make = make
        self._start()

    def call(
        self,
        function: Callable[Concatenate[_Subject, _Arguments], _Result],
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> _Result:
        """The result of `function(subject, *args, **kwargs)`, all of which must be picklable.

        Raises:
            WorkerDied: the process has ended; `restart` replaces it.
            Exception: what the function raises.
        """
        try:
            self._connection.send((function, args, kwargs))
            result, error = self._connection.recv()
        except (EOFError, OSError) as ended:
            raise WorkerDied from ended
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return]

    def wait_until_ready(self) -> None:
        """Return when the object has been made; raises WorkerDied if it cannot be."""
        self.call(_do_nothing)

    def restart(self) -> None:
        """Replace a process that has died, without waiting for the new one."""
        self.close()
        self._start()

    def close(self) -> None:
        """End the process, once it has done what it is doing; may be called again."""
        atexit.unregister(self._connection.close)
        self._connection.close()
        self._process.join()

    def _start(self) -> None:
        # Spawned: a forked process would lack the threads of ONNX Runtime.
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, self._make))
        self._process.start()
        theirs.close()  # so that this end notices when the process ends
        atexit.register(self._connection.close)  # else Python waits for the process when it exits


def _do_nothing(_: object) -> None:
    pass


def _work(connection: Connection[Any, Any], make: Callable[[], Any]) -> None:
    """Answer calls until the other end is closed; the main function of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    warnings.filterwarnings("ignore", module="PIL")  # as in the main process, see `run_command`
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    subject = make()
    while True:
        try:
            function, args, kwargs = connection.recv()
        except EOFError:
            return
        answer: tuple[Any, Exception | None]
        try:
            answer = function(subject, *args, **kwargs), None
        except Exception as error:  # whatever it is, it is for the caller
            answer = None, error
        with contextlib.suppress(BrokenPipeError):  # no one waits for it any more
            connection.send(answer)


def _exit_with_parent() -> None:
    """Exit when the main process does; one that was killed cannot close its end in good order."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def available_processors() -> int:
    """How many processors this process may use."""
    get_affinity = getattr(os, "sched_getaffinity", None)  # absent on macOS and Windows
    return len(get_affinity(0)) if get_affinity else os.cpu_count() or 1
