import json

import pytest

from benchmarks import work
from tests.conftest import ROOT, SAMPLE

RESULTS = {
    "copied_gb_per_second": 10.0,
    "matrix_gflops": 50.0,
    "peer_cpu_ms": 8.0,
    "stages": {
        "grey": {"cpu_ms": 0.2, "bytes": 1e6},
        "keypoint network": {"cpu_ms": 3.0, "multiply_adds": 50e6},
        "end to end": {"cpu_ms": 4.0},
        "the rest": {"cpu_ms": 0.8},
    },
}


def test_a_stage_is_compared_with_its_least_work():
    assert work.table(RESULTS).splitlines()[2:] == [
        "| grey | 1.00 MB | 0.10 ms | 0.20 ms | 0.10 ms |",
        "| keypoint network | 50 M multiply-adds | 2.00 ms | 3.00 ms | 1.00 ms |",
        "| end to end | – | – | 4.00 ms | – |",
        "| the rest | – | – | 0.80 ms | – |",
        "| MediaPipe Face Mesh (end to end is 0.50 of it) | – | – | 8.00 ms | – |",
    ]


def test_a_photo_file_is_compared_with_its_peer():
    file = {"megapixels": 12.0, "cpu_ms": 50.0, "peer_cpu_ms": 200.0}
    assert work.table({**RESULTS, "file": file}).splitlines()[-2:] == [
        "| JPEG file of 12 megapixels, to its faces | – | – | 50.0 ms | – |",
        "| MediaPipe Face Mesh with its own reader (ours is 0.25 of it) | – | – | 200.0 ms | – |",
    ]


def test_the_stages_of_photos_are_measured(tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    folder = tmp_path / "helen"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(SAMPLE.read_bytes())
    (folder / "annotations.jsonl").write_text(json.dumps({"image": "a.jpg", "keypoints": {}}))
    monkeypatch.setattr(work, "_ROUNDS", 2)
    results = work.run(tmp_path)
    stages = results["stages"]
    total = stages.pop("end to end")["cpu_ms"]
    assert sum(stage["cpu_ms"] for stage in stages.values()) == pytest.approx(total)
    assert stages["grey"]["bytes"] == 4 * 512 * 512
    assert stages["scale to the detector's size"]["bytes"] == 512 * 512 + 320 * 320
    assert stages["detector, with its decoding"]["multiply_adds"] > 50e6
    assert stages["keypoint network"]["multiply_adds"] >= 62_837_280  # of one face
    assert results["peer_cpu_ms"] is None
    assert results["file"]["megapixels"] == 12
    assert results["file"]["cpu_ms"] > 0


def test_the_page_on_benchmarks_shows_what_was_measured():
    text = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    block = text.partition("<!-- work:")[2].partition("<!-- end of work")[0]
    rows = "\n".join(line for line in block.splitlines() if line.startswith("|"))
    results = ROOT / "benchmarks" / "results" / "work.json"
    assert rows == work.table(json.loads(results.read_text("utf-8")))
