from importlib.util import find_spec

import pytest

pytest.importorskip("pyarrow")

from benchmarks.bulk import Comparison, table
from benchmarks.bulk_jobs.cost_model import extrapolate
from benchmarks.datasets.synthetic_archive import make_archive

PHOTOS, PARTITION = 120, 5


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bulk")
    bad = make_archive(folder / "archive", PHOTOS)
    assert bad == 2
    comparison = Comparison(folder, PHOTOS, bad, PARTITION)
    first = comparison.measure("one", ["--engine", "local", "--workers", "1"])
    assert first["faces"] > PHOTOS / 2
    return comparison


@pytest.mark.slow
def test_a_killed_and_resumed_run_of_two_processes_has_the_same_rows(comparison):
    result = comparison.inject_faults("local", ["--engine", "local", "--workers", "2"])
    assert result["same_rows"]
    assert 12 <= result["partitions_finished_when_killed"] < result["partitions"] == 24


@pytest.mark.slow
def test_rows_that_differ_are_an_error(comparison, tmp_path):
    other = Comparison(tmp_path, PHOTOS, comparison.bad, PARTITION)
    (tmp_path / "archive").symlink_to(comparison.folder / "archive")
    (tmp_path / "one").symlink_to(comparison.folder / "one")
    with pytest.raises(ValueError, match="other: rows differ from those of one process"):
        other.measure("other", ["--engine", "local", "--min-score", "0.99"])


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")
def test_a_killed_and_resumed_run_of_a_cluster_has_the_same_rows(comparison, run_python):
    code = (
        "from pathlib import Path\n"
        "from benchmarks.bulk_jobs.fault_injection import two_node_cluster\n"
        "from benchmarks.bulk import Comparison\n"
        f"comparison = Comparison(Path({str(comparison.folder)!r}), {PHOTOS}, {comparison.bad}, "
        f"{PARTITION})\nwith two_node_cluster() as address:\n"
        "    print(comparison.inject_faults('ray', ['--address', address]))"
    )
    done = run_python("-c", code)
    assert b"'same_rows': True" in done.stdout, done.stderr.decode()


def test_the_tables_show_the_results():
    run = {"photos_a_second": 52.2, "peak_mb": 2032, "rows": 5590}
    broken = {"partitions_finished_when_killed": 25, "partitions": 50, "rows": 5590}
    stage = {
        "megapixels": 2.0, "photo_bytes": 1_000_000,
        "fetch_ms": 1.0, "decode_ms": 9.0, "look_ms": 14.5, "write_ms": 0.5,
    }  # fmt: skip
    text = table(
        {
            "runs": {
                "one_process": run, "local": run, "ray": run,
                "local_broken": broken, "ray_broken": broken,
            },
            "stages": [stage],
            "costs": extrapolate([stage], 500.0),
            "result_bytes_a_photo": 500.0,
        }
    )  # fmt: skip
    killed = "one worker killed, then the run killed at 25 of 50 partitions and resumed"
    assert text.splitlines() == [
        "| run | photos/s | peak memory | rows |",
        "|---|---|---|---|",
        "| one process | 52 | 2,032 MB | 5,590 |",
        "| `--engine local` | 52 | 2,032 MB | 5,590 |",
        "| `--engine ray` | 52 | 2,032 MB | 5,590 |",
        f"| `local`: {killed} | | | 5,590, identical |",
        f"| `ray`: {killed} | | | 5,590, identical |",
        "",
        "| photo | fetch | decode | inference | write | photos per core-hour | 1 million photos | "
        "1 billion photos | cores per 10 Gbit/s |",
        "|---|---|---|---|---|---|---|---|---|",
        "| 2 Mpx, 1.0 MB | 1.0 ms | 9.0 ms | 14.5 ms | 0.5 ms | 144,000 | 7 core-hours, 1.0 TB "
        "read | 6,944 core-hours, 1,000.0 TB read | 31 |",
        "",
        "The results take 500 bytes per photo of the archive above: 0.5 GB for a million photos, "
        "500 GB for a billion.",
    ]
