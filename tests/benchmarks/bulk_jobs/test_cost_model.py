import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("fsspec")

from benchmarks.bulk_jobs.cost_model import extrapolate

STAGE = {
    "megapixels": 2.0, "photo_bytes": 1_000_000,
    "fetch_ms": 1.0, "decode_ms": 9.0, "look_ms": 14.5, "write_ms": 0.5,
}  # fmt: skip


def test_costs_are_the_sum_of_the_stages_times_the_number_of_photos():
    (cost,) = extrapolate([STAGE], 500.0)
    assert cost["megapixels"] == 2.0
    assert cost["photos_a_core_hour"] == pytest.approx(144_000)
    assert cost["decode_share"] == pytest.approx(0.36)
    assert cost["link_cores"] == pytest.approx(1.25e9 / 40e6)
    million, billion = cost["many"]
    assert million == pytest.approx(
        {"photos": 10**6, "core_hours": 1000 / 144, "results_gb": 0.5, "read_tb": 1.0}
    )
    assert billion == pytest.approx({name: 1000 * value for name, value in million.items()})
