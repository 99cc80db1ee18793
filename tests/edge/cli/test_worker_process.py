import errno
import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from edge.cli.worker_process import (
    WorkerDied,
    WorkerNotStarted,
    WorkerProcess,
    available_processors,
)
from tests.conftest import ROOT


class Counter:
    """Counts calls, so that a restart shows."""

    def __init__(self, start=0):
        self.count = start

    def add(self, number, *, twice=False):
        self.count += 2 * number if twice else number
        return self.count, os.getpid()

    def fail(self):
        raise ValueError("no such number")

    def answer_what_cannot_be_sent(self):
        return lambda: None

    def fail_with_what_cannot_be_sent(self):
        raise Unsendable(lambda: None)

    def sleep(self, seconds):
        time.sleep(seconds)

    def die(self):
        os.kill(os.getpid(), signal.SIGKILL)


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Unsendable(Exception):
    pass


class Broken:
    def __init__(self):
        os._exit(3)


@pytest.fixture
def worker():
    worker = WorkerProcess(partial(Counter, 10))
    yield worker
    worker.close()


def test_calls_reach_one_object_in_another_process(worker):
    first, pid = worker.call(Counter.add, 1)
    second, same = worker.call(Counter.add, 2, twice=True)
    assert (first, second) == (11, 15)
    assert pid == same != os.getpid()


def test_an_error_is_raised_and_the_process_goes_on(worker):
    _, pid = worker.call(Counter.add, 1)
    with pytest.raises(ValueError, match="no such number"):
        worker.call(Counter.fail)
    assert worker.call(Counter.add, 1) == (12, pid)


def test_an_error_has_the_traceback_of_the_process(worker):
    with pytest.raises(ValueError, match="no such number") as caught:
        worker.call(Counter.fail)
    (note,) = caught.value.__notes__
    assert ", in fail\n" in note


@pytest.mark.parametrize("name", ["answer_what_cannot_be_sent", "fail_with_what_cannot_be_sent"])
def test_an_answer_that_cannot_be_sent_is_an_error(worker, name):
    _, pid = worker.call(Counter.add, 1)
    with pytest.raises(RuntimeError, match="the result cannot be sent"):
        worker.call(getattr(Counter, name))
    assert worker.call(Counter.add, 1) == (12, pid)


def test_a_call_that_takes_too_long_ends_the_process():
    worker = WorkerProcess(Counter, max_seconds=0.5)
    try:
        with pytest.raises(WorkerDied) as caught:
            worker.call(Counter.sleep, 60)
        assert not isinstance(caught.value, WorkerNotStarted)
        worker.restart()
        assert worker.call(Counter.add, 1)[0] == 1
    finally:
        worker.close()


def test_a_process_that_cannot_be_started_may_be_restarted(monkeypatch):
    def refuse(_):
        raise OSError(errno.ENOMEM, "no memory")

    with monkeypatch.context() as patched:
        patched.setattr("multiprocessing.context.SpawnProcess.start", refuse)
        worker = WorkerProcess(Counter)
        for _ in range(2):
            with pytest.raises(WorkerNotStarted):
                worker.call(Counter.add, 1)
            worker.restart()
    worker.restart()
    assert worker.call(Counter.add, 1)[0] == 1
    worker.close()
    worker.close()
    worker.restart()  # not once closed
    with pytest.raises(WorkerNotStarted):
        worker.call(Counter.add, 1)


def test_a_process_that_died_between_two_calls_was_not_given_the_second(worker):
    _, pid = worker.call(Counter.add, 1)
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while worker._process.is_alive():
        assert time.monotonic() < deadline
    with pytest.raises(WorkerNotStarted):
        worker.call(Counter.add, 1)


def test_a_process_that_died_says_so_until_it_is_restarted(worker):
    worker.call(Counter.add, 5)
    for _ in range(2):
        with pytest.raises(WorkerDied):
            worker.call(Counter.die)
    worker.restart()
    worker.wait_until_ready()
    assert worker.call(Counter.add, 1)[0] == 11  # a new object


def test_arguments_that_cannot_be_sent_are_an_error_of_the_caller(worker):
    with pytest.raises(Exception, match="pickle"):
        worker.call(Counter.add, lambda: None)
    assert worker.call(Counter.add, 1)[0] == 11


def test_an_object_that_cannot_be_made_is_a_death():
    worker = WorkerProcess(Broken)
    with pytest.raises(WorkerDied):
        worker.wait_until_ready()
    worker.close()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of Unix")
def test_signals_to_stop_are_left_to_the_main_process(worker):
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(worker._process.pid, number)  # it is still starting
    first, pid = worker.call(Counter.add, 1)
    assert first == 11
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(pid, number)
    assert worker.call(Counter.add, 1) == (12, pid)


@pytest.mark.parametrize("end", ["pass", "os.kill(os.getpid(), signal.SIGKILL)"])
@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of Unix")
def test_it_ends_with_the_main_process_even_when_that_is_killed(end):
    code = (
        "import os, signal\n"
        "from edge.cli.worker_process import WorkerProcess\n"
        "from tests.edge.cli.test_worker_process import Counter\n"
        "worker = WorkerProcess(Counter)\n"
        f"print(worker.call(Counter.add, 1)[1], flush=True)\n{end}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    pid = int(done.stdout)
    deadline = time.monotonic() + 20
    while is_running(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_there_is_at_least_one_processor():
    assert available_processors() >= 1
