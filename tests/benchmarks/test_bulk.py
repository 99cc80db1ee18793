from importlib.util import find_spec

import pytest

pytest.importorskip("pyarrow")

from benchmarks.bulk import Check, table
from benchmarks.bulk_jobs.cost_model import costs
from benchmarks.datasets.synthetic_archive import make_archive

PHOTOS, PARTITION = 120, 5


@pytest.fixture(scope="module")
def check(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bulk")
    bad = make_archive(folder / "archive", PHOTOS)
    assert bad == 2
    check = Check(folder, PHOTOS, bad, PARTITION)
    first = check.whole("one", ["--engine", "local", "--workers", "1"])
    assert first["faces"] > PHOTOS / 2
    return check


@pytest.mark.slow
def test_a_broken_run_of_two_processes_ends_in_the_same_rows(check):
    told = check.broken("local", ["--engine", "local", "--workers", "2"])
    assert told["same_rows"]
    assert 12 <= told["partitions_finished_when_killed"] < told["partitions"] == 24


@pytest.mark.slow
def test_other_rows_are_told(check, tmp_path):
    other = Check(tmp_path, PHOTOS, check.bad, PARTITION)
    (tmp_path / "archive").symlink_to(check.folder / "archive")
    (tmp_path / "one").symlink_to(check.folder / "one")
    with pytest.raises(ValueError, match="other: rows differ from those of one process"):
        other.whole("other", ["--engine", "local", "--min-score", "0.99"])


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")
def test_a_broken_run_of_a_cluster_ends_in_the_same_rows(check, run_python):
    code = (
        "from pathlib import Path; from benchmarks.bulk_jobs.fault_injection import two_nodes\n"
        "from benchmarks.bulk import Check\n"
        f"check = Check(Path({str(check.folder)!r}), {PHOTOS}, {check.bad}, {PARTITION})\n"
        "with two_nodes() as address: print(check.broken('ray', ['--address', address]))"
    )
    done = run_python("-c", code)
    assert b"'same_rows': True" in done.stdout, done.stderr.decode()


def test_what_many_cost_follows_from_the_stages():
    stage = {
        "megapixels": 2.0, "photo_bytes": 1_000_000,
        "fetch_ms": 1.0, "decode_ms": 9.0, "look_ms": 14.5, "write_ms": 0.5,
    }  # fmt: skip
    (cost,) = costs([stage], 500.0)
    assert cost["photos_a_core_hour"] == pytest.approx(144_000)
    assert cost["decode_share"] == pytest.approx(0.36)
    assert cost["link_cores"] == pytest.approx(1.25e9 / 40e6)
    million, billion = cost["many"]
    assert million["core_hours"] == pytest.approx(6.944, abs=0.001)
    assert billion["core_hours"] == pytest.approx(6944.4, abs=0.1)
    assert (million["results_gb"], billion["read_tb"]) == (0.5, 1000.0)


def test_the_tables_say_what_was_measured():
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
            "costs": costs([stage], 500.0),
            "result_bytes_a_photo": 500.0,
        }
    )  # fmt: skip
    assert "| `--engine ray` | 52 | 2,032 MB | 5,590 |" in text
    assert "killed, then the run at 25 of 50 partitions, resumed | | | the same 5,590 |" in text
    assert "| 2 Mpx, 1.0 MB | 1.0 ms | 9.0 ms | 14.5 ms | 0.5 ms | 144,000 | 7 core-hours, " in text
    assert "500 bytes a photo of the archive above: 0.5 GB for a million, 500 GB for a" in text
