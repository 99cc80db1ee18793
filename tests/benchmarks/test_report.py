import copy
import json
from dataclasses import asdict

import numpy as np
import pytest

pytest.importorskip("jsonschema")

from benchmarks.harness.timing import summarise
from benchmarks.report import compare, main, page, to_html
from benchmarks.reporting import tables as summary
from benchmarks.reporting.schema import check


def timed(median, **more):
    return {**more, **json.loads(json.dumps(asdict(summarise(np.full(5, median)))))}


def peer(way, median, threads=1, **more):
    return {
        "way": way, "peer": "x", "threads": threads, "video": False, "latency": timed(median),
        "memory_mb": 50.0, "installed_mb": 100.0, "start": {"total_ms": 300.0}, **more,
    }  # fmt: skip


@pytest.fixture
def results():
    heat = {"temperature_c": 50.0, "clock_mhz": None, "throttled": None}
    curve = [0.01, 0.05]
    errors = {"faces": 10, "found": 9, "keypoints": 15, "error": 0.03, "curve": curve}
    return {
        "format": 1,
        "machine": {
            "processor": "A <fast> one", "features": ["avx2"], "cores": 2, "architecture": "x",
            "system": "Linux", "threads": 2, "python": "3.11", "time": "2026-01-01", "board": None,
        },
        "amount": {"queries": 5, "seconds": 1.0},
        "matrix_gflops": 100.0,
        "models": [{
            "model": "k.onnx", "version": "v", "size_bytes": 2_000_000, "sha256": "0",
            "parameters": 1, "multiply_adds": 25_000_000, "accuracy": None,
        }],
        "detectors": [{"file": "f.onnx", "size_bytes": 1, "sha256": "0", "parameters": 1}],
        "auto": [],
        "single_stream": [
            timed(1.0, what="k.onnx", threads=1), timed(0.7, what="k.onnx", threads=2)
        ],
        "offline": [
            {"model": "k.onnx", "threads": 1, "batch": b, "faces_a_second": 1000.0 + b}
            for b in (1, 4)
        ],
        "layers": {"k.onnx": [
            {"name": "c", "operator": "Conv", "median_us": 100.0, "multiply_adds": 5_000_000}
        ]},
        "stages": {"decode": timed(2.0)},
        "start": {"python_ms": 10.0},
        "peers": [
            peer("ours", 3.0, accuracy=errors), peer("ours", 2.0, threads=0),
            {"way": "theirs", "peer": "y", "threads": 1, "video": False, "failure": "no wheel"},
        ],
        "heat": {"before": heat, "after": {**heat, "temperature_c": 60.0}},
    }  # fmt: skip


def write(results, path):
    path.write_text(json.dumps(results))
    return str(path)


def test_results_that_are_not_are_told_with_their_place(results):
    assert check(results) == ""
    del results["single_stream"][0]["p50_ms"]
    assert check(results) == "$.single_stream[0]: 'p50_ms' is a required property"


def test_tables_say_what_was_measured(results):
    # 50 million operations in a millisecond are half of 100 thousand million a second.
    assert "| k.onnx | 2.00 MB | 1.00 ms | 1.00 ms | 50% | – | – | – |" in summary.models(results)
    assert "| k.onnx | 1 | 1,001 | 1,004 |" in summary.offline(results)
    peers = summary.peers(results)
    assert (
        "| ours | 3.00 ms | 3.00 ms | 2.00 ms | 9 of 10 | 3.00% | 300 ms | 50 MB | 100 MB |"
        in peers
    )
    assert "| theirs | no wheel |" in peers
    assert "| Conv `c` | 100 µs | 5.00 M | 100 |" in summary.layers(results, "k.onnx")
    assert "| temperature_c before and after | 50.0, 60.0 |" in summary.machine(results)


def test_a_page_stands_by_itself(results):
    pytest.importorskip("matplotlib")
    text = page({"here": results, "there": results})
    assert text.count("<svg") == 2 * 5
    assert "A &lt;fast&gt; one" in text
    for outside in ("src=", "<link", "@import", "<script"):
        assert outside not in text
    assert page({"here": results, "there": results}) == text


def test_a_table_keeps_its_empty_cells():
    html = to_html("| a |  | c |\n|---|---|---|\n|  | 2 | 3 |")
    assert html.count("<th>") == 3
    assert "<tr><td></td><td>2</td><td>3</td></tr>" in html


def test_what_is_slower_is_told_a_slower_machine_is_not(results):
    old = copy.deepcopy(results)
    assert compare(results, old, 1.15) == []
    results["single_stream"][0]["p50_ms"] = 1.2
    assert compare(results, old, 1.15) == ["k.onnx: 1.20 ms, before 1.00 ms: 1.20 times"]
    results["matrix_gflops"] = 80.0
    assert compare(results, old, 1.15) == []


def test_the_command_writes_both_and_exits_with_1_where_something_is_worse(
    results, tmp_path, capsys
):
    pytest.importorskip("matplotlib")
    old = write(results, tmp_path / "old.json")
    results["single_stream"][0]["p50_ms"] = 2.0
    new = write(results, tmp_path / "new.json")
    assert main([new, old, "-o", str(tmp_path / "report")]) == 0
    assert "| k.onnx | 2.00 ms | 1.00 ms |" in (tmp_path / "report" / "report.md").read_text()
    assert (tmp_path / "report" / "report.html").read_text().startswith("<!doctype html>")
    assert main([new, "--compare", old]) == 1
    assert "2.00 times" in capsys.readouterr().out
    assert main([new, "--compare", old, "--worse", "3"]) == 0


@pytest.mark.parametrize("text", ["{", "{}"])
def test_another_file_is_one_line(text, tmp_path, capsys):
    other = tmp_path / "other.json"
    other.write_text(text)
    assert main([str(other), "-o", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith(f"benchmarks: {other}: not ")
