import pytest

from benchmarks.reporting import tables


def test_tables_show_the_measured_values(results):
    # 50 million operations per millisecond are half of 100 Gop/s.
    assert "| k.onnx | 2.00 MB | 1.00 ms | 1.00 ms | 50% | – | – | – |" in tables.models(results)
    assert "| k.onnx | 1 | 1,001 | 1,004 |" in tables.offline(results)
    peers = tables.peers(results)
    assert (
        "| ours | 3.00 ms | 3.00 ms | 2.00 ms | 9 of 10 | 3.00% | 300 ms | 50 MB | 100 MB |"
        in peers
    )
    assert "| theirs | no wheel |" in peers
    assert "| Conv `c` | 100 µs | 5.00 M | 100 |" in tables.layers(results, "k.onnx")
    assert "| temperature_c before and after | 50.0, 60.0 |" in tables.machine(results)


def test_a_measurement_is_found_by_name_and_threads(results):
    assert tables.find_single_stream(results, "k.onnx", threads=2)["p50_ms"] == 0.7
    with pytest.raises(KeyError, match=r"other\.onnx"):
        tables.find_single_stream(results, "other.onnx")


def test_few_keypoints_are_noted_and_missing_ones_are_a_dash(results):
    ours = results["peers"][0]
    ours["accuracy"] = {**ours["accuracy"], "keypoints": 5}
    assert "| 9 of 10 | 3.00% (5 points) |" in tables.peers(results)
    ours["accuracy"] = {"faces": 10, "found": None}
    assert "| 2.00 ms | – | – |" in tables.peers(results)


def test_unknown_facts_of_the_machine_are_named_so(results):
    assert "| board | unknown |" in tables.machine(results)


def test_processors_are_compared_by_ratios_within_each(results, monkeypatch):
    monkeypatch.setattr(tables, "_RACES", {"a photo, int8": ("ours", "theirs")})
    monkeypatch.setattr(tables, "_RACED_MODELS", ("k.onnx",))
    latency = {"p50_ms": 6.0, "shaky": False}
    theirs = {"way": "theirs", "threads": 1, "latency": latency, "start": {"total_ms": 600.0}}
    results["peers"] = [results["peers"][0], theirs]
    machine = {**results["machine"], "commit": "abc"}
    other = {**machine, "features": ["avx2", "avx_vnni"], "commit": "def"}
    table = tables.processors({**results, "machine": machine}, {**results, "machine": other})
    assert table.splitlines() == [
        "|  | A <fast> one, no 8-bit dot products | A <fast> one, avx_vnni |",
        "|---|---|---|",
        "| a photo, int8 | 3.00 of 6.00 ms: 0.50 × | 3.00 of 6.00 ms: 0.50 × |",
        "| to the first result, int8 | 300.00 of 600.00 ms: 0.50 × | 300.00 of 600.00 ms: 0.50 × |",
        "| k.onnx, of the core's matrix rate | 50% | 50% |",
        "| commit | abc | def |",
    ]
