import numpy as np
import pytest

from benchmarks.comparison import interleaved
from benchmarks.comparison.environments import Method
from benchmarks.comparison.interleaved import Comparison, ImageArchive, time_methods
from benchmarks.comparison.worker_process import Worker

# Fake interpreters: one that answers everything, and one that ends at the second request.
GOOD = """while read request; do echo '{"ms": [1.0, 2.0], "mb": 50.0}'; done"""
SHORT = """read request; echo '{"ms": [1.0]}'; read request; echo out of memory >&2; exit 1"""


def install(home, peer, script):
    folder = home / peer
    (folder / "bin").mkdir(parents=True)
    (folder / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    python = folder / "bin" / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    return Method(f"{peer} method", peer, {"method": peer})


@pytest.fixture
def comparison(tmp_path):
    return Comparison(tmp_path, {}, timed=2, rounds=3)


@pytest.fixture
def images(tmp_path):
    return ImageArchive(tmp_path / "images.npz", ["0", "1"])


@pytest.fixture
def workers(monkeypatch):
    """All workers that are started."""
    started = []

    class Recorded(Worker):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            started.append(self)

    monkeypatch.setattr(interleaved, "Worker", Recorded)
    return started


def test_each_method_is_timed_once_per_round(tmp_path, comparison, images, workers):
    methods = [install(tmp_path, name, GOOD) for name in ("a", "b")]
    rows = time_methods(methods, 1, images, comparison)
    assert [row["way"] for row in rows] == ["a method", "b method"]
    for row in rows:
        assert (row["threads"], row["video"], row["memory_mb"]) == (1, False, 50.0)
        assert (row["latency"]["runs"], row["latency"]["p50_ms"]) == (6, 1.5)
    assert not any(worker.is_running for worker in workers)


def test_a_method_that_cannot_run_is_a_row_with_the_reason(tmp_path, comparison, images, workers):
    good = install(tmp_path, "good", GOOD)
    bad = install(tmp_path, "bad", "echo no library >&2; exit 1")
    needy = Method("needy", "good", {}, needs="yunet")
    missing = Method("missing", "missing", {})
    rows = time_methods([bad, needy, missing, good], 1, images, comparison)
    assert [row.get("failure", "")[:24] for row in rows] == [
        "no library", "no model file given; nam", "not installed; run pytho", ""
    ]  # fmt: skip
    assert rows[3]["latency"]["runs"] == 6
    assert not any(worker.is_running for worker in workers)


def test_all_workers_are_terminated_when_one_fails_while_it_is_timed(
    tmp_path, comparison, images, workers
):
    methods = [install(tmp_path, "good", GOOD), install(tmp_path, "short", SHORT)]
    with pytest.raises(OSError, match=r"^out of memory$"):
        time_methods(methods, 1, images, comparison)
    assert len(workers) == 2
    assert not any(worker.is_running for worker in workers)


def test_a_start_is_the_median_of_warm_processes(tmp_path, comparison, monkeypatch):
    count = tmp_path / "count"
    count.write_text("0")
    script = (
        f"n=$(cat {count}); echo $((n + 1)) > {count}; read request; "
        'echo "{\\"open_ms\\": $((n * 10))}"'
    )
    method = install(tmp_path, "slow", script)
    monkeypatch.setattr(interleaved, "METHODS", (method,))
    rows = [{"way": method.name, "threads": 1, "latency": {}}, {"way": "other", "threads": 1}]
    interleaved._add_starts(rows, tmp_path / "first.npy", comparison)
    assert rows[0]["start"]["open_ms"] == 35.0  # of 10, 20, … 60; the first is discarded
    assert rows[0]["start"]["total_ms"] > 0
    assert "start" not in rows[1]


def test_images_are_saved_under_their_numbers(tmp_path):
    images = [np.full((2, 2, 3), i, np.uint8) for i in range(3)]
    archive = interleaved.save_images(tmp_path / "x.npz", images)
    assert archive.request(2) == {"images": str(tmp_path / "x.npz"), "names": ["0", "1"]}
    with np.load(archive.path) as arrays:
        assert [int(arrays[name].max()) for name in archive.names] == [0, 1, 2]
