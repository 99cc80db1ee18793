import os

import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("fsspec")

import edge.bulk.executors as executors
from edge.bulk.executors import Executor
from edge.bulk.partitions import Partition


@pytest.fixture
def calls(monkeypatch):
    """Arguments of calls to the local executor, which is replaced."""
    calls = []

    def run_processes(spec, partitions, workers):
        calls.append((spec, partitions, workers))
        yield "result"

    monkeypatch.setattr(executors, "run_processes", run_processes)
    return calls


def test_no_partitions_start_no_worker(calls):
    assert [*Executor("local", 3).run("spec", [])] == []
    assert [*Executor("ray", address="ray://nowhere:1").run("spec", [])] == []
    assert calls == []


def test_the_local_executor_has_the_given_workers_or_one_per_available_core(calls, monkeypatch):
    partitions = [Partition("a", ())]
    assert [*Executor("local", 3).run("spec", partitions)] == ["result"]
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2, 5}, raising=False)
    assert [*Executor().run("spec", partitions)] == ["result"]
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert [*Executor().run("spec", partitions)] == ["result"]
    assert calls == [("spec", partitions, workers) for workers in (3, 2, 7)]
