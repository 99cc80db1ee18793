"""A worker process: functions are called in it one after another, and it may die of one of them.

`concurrent.futures.ProcessPoolExecutor` hands each call through two more threads: 0.4 ms of CPU
time for a photo of 70 kB, of which the pipe used here takes 0.1 ms.
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

_Subject = TypeVar("_Subject")
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_END_S = 3.0  # for a process without work to end, before it is killed
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# What a pipe raises whose other end is gone, or that another thread has closed.
_BROKEN = (EOFError, OSError, TypeError, MemoryError)


class WorkerDied(Exception):
    """The process ended before it answered: it crashed, or ran out of memory or time."""


class WorkerNotStarted(WorkerDied):
    """The process had ended before it was given the call, or could not be started."""


class WorkerProcess(Generic[_Subject]):
    """An object in a process of its own; for one thread at a time, but for `close`.

    The process ignores Ctrl-C and SIGTERM, which are the main process's to handle, and ends with
    that or by `close`.

    Attributes:
        is_ready: whether the object is known to have been made.
    """

    def __init__(self, make: Callable[[], _Subject], max_seconds: float | None = None) -> None:
        """Start the process, without waiting for it.

        Args:
            make: called there for the object; picklable.
            max_seconds: for one call, after which the process is killed.
        """
        self._make, self._max_seconds = make, max_seconds
        self._process: SpawnProcess | None
        self.is_ready: bool
        self._closed = False
        self._start()

    def call(
        self,
        function: Callable[Concatenate[_Subject, _Arguments], _Result],
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> _Result:
        """The result of `function(subject, *args, **kwargs)`, all of which must be picklable.

        Raises:
            WorkerNotStarted: the process has ended already, or cannot start; `restart` replaces it.
            WorkerDied: it ended during the call; likewise.
            Exception: what the function raises, with the worker's traceback as a note.
        """
        self.wait_until_ready()
        call = pickle.dumps((function, args, kwargs), pickle.HIGHEST_PROTOCOL)
        try:
            self._connection.send_bytes(call)
        except _BROKEN as ended:
            raise WorkerNotStarted from ended
        result, error = pickle.loads(self._receive(self._max_seconds))
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return]

    def wait_until_ready(self) -> None:
        """Return when the object has been made; raises WorkerNotStarted if it cannot be."""
        if self._process is None or not self._process.is_alive():
            raise WorkerNotStarted
        if not self.is_ready:
            try:
                self._receive(None)
            except WorkerDied as died:
                raise WorkerNotStarted from died
            self.is_ready = True

    def restart(self) -> None:
        """Replace a process that has died, without waiting for the new one; not once closed."""
        self._end()
        if not self._closed:
            self._start()

    def close(self) -> None:
        """End the process; one that is still working is killed after a while."""
        self._closed = True
        self._end()

    def _start(self) -> None:
        # Spawned: a forked process would lack the threads of ONNX Runtime.
        context = multiprocessing.get_context("spawn")
        self.is_ready, self._process = False, None
        self._connection, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, self._make))
        try:
            with _stop_signals_blocked():
                process.start()
        except OSError:  # no memory or no process is left: a call says so, and may try again
            self._connection.close()
            return
        finally:
            theirs.close()  # so that this end notices when the process ends
        self._process = process
        atexit.register(self._connection.close)  # else Python waits for the process when it exits

    def _end(self) -> None:
        atexit.unregister(self._connection.close)
        self._connection.close()
        process = self._process
        if process is not None:
            process.join(_END_S)
            process.kill()
            process.join()

    def _receive(self, seconds: float | None) -> bytes:
        """The next message; raises WorkerDied if there is none in time."""
        assert self._process is not None
        try:
            if not wait([self._connection, self._process.sentinel], seconds):
                self._process.kill()
            elif self._connection.poll():
                return self._connection.recv_bytes()
        except _BROKEN as ended:
            raise WorkerDied from ended
        raise WorkerDied


@contextlib.contextmanager
def _stop_signals_blocked() -> Iterator[None]:
    """Signals to stop wait in a process that is started here until `_work` ignores them."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # starting it would unblock them
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(connection: Connection[Any, Any], make: Callable[[], Any]) -> None:
    """Answer calls until the other end is closed; the main function of the process."""
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)
    warnings.filterwarnings("ignore", module="PIL")  # as in the main process, see `run_command`
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    subject = make()
    with contextlib.suppress(EOFError, OSError):  # the other end is closed
        connection.send_bytes(b"ready")
        while True:
            connection.send_bytes(_answer(subject, connection.recv_bytes()))


def _answer(subject: Any, call: bytes) -> bytes:
    """The pickled result and error of a call; nothing else of the call is kept."""
    result, error = None, None
    try:
        function, args, kwargs = pickle.loads(call)
        result = function(subject, *args, **kwargs)
    except Exception as raised:  # whatever it is, it is for the caller
        error = raised
        error.__notes__ = [traceback.format_exc()]  # which Python 3.10 keeps, but does not show
    try:
        return pickle.dumps((result, error), pickle.HIGHEST_PROTOCOL)
    except Exception as raised:
        lost = RuntimeError(f"the result cannot be sent ({raised}): {error or result!r}")
        return pickle.dumps((None, lost), pickle.HIGHEST_PROTOCOL)


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
