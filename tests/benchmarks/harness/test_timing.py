import numpy as np
import pytest

from benchmarks.harness.timing import RunLength, summarise, time_interleaved


def test_a_summary_has_percentiles_and_marks_a_wide_spread():
    steady = summarise(np.linspace(1.0, 1.1, 101))
    assert (steady.runs, steady.p50_ms, steady.min_ms, steady.max_ms) == (101, 1.05, 1.0, 1.1)
    assert (steady.p90_ms, steady.p99_ms) == (pytest.approx(1.09), pytest.approx(1.099))
    assert steady.seconds == pytest.approx(0.106, abs=1e-3)
    assert (len(steady.curve_ms), steady.curve_ms[0], steady.curve_ms[-1]) == (41, 1.0, 1.1)
    assert not steady.shaky
    assert summarise(np.linspace(1, 3, 101)).shaky


def test_calls_are_interleaved_after_a_warm_up():
    called = []
    calls = {name: lambda name=name: called.append(name) for name in "ab"}
    times = time_interleaved(calls, RunLength(queries=3, seconds=0.0), warm_up=2)
    assert "".join(called) == "aabb" + "ababab"
    assert {name: len(values) for name, values in times.items()} == {"a": 3, "b": 3}


def test_a_call_drops_out_after_its_run_length(monkeypatch):
    clock = iter(range(0, 10**12, 10**9))  # a second between two readings
    monkeypatch.setattr("benchmarks.harness.timing.time.perf_counter_ns", lambda: next(clock))
    called = []
    calls = {"a": lambda: called.append("a")}
    times = time_interleaved(calls, RunLength(queries=1, seconds=3.0), warm_up=0)
    assert called == ["a"] * 3
    assert times["a"].tolist() == [1000.0] * 3
