import json

import numpy as np
import pytest

pytest.importorskip("cv2")
pytest.importorskip("onnx")

from benchmarks import work
from benchmarks.latency import tracked_frame
from edge.image import load_image
from tests.conftest import ROOT


def test_the_stages_of_a_tracked_frame_are_measured(tmp_path, monkeypatch, sample):
    still = [load_image(sample)] * 12
    monkeypatch.setattr(tracked_frame, "_ROUNDS", 1)
    monkeypatch.setattr(tracked_frame, "video_frames", lambda: still)
    results = tracked_frame.run(tmp_path, None)
    stages = results["stages"]
    total = stages.pop("end to end")["cpu_ms"]
    assert sum(stage["cpu_ms"] for stage in stages.values()) == pytest.approx(total)
    # Of the first frame, which is searched, the network is counted with the detection.
    adds = stages["keypoint network"]["multiply_adds"]
    assert adds == pytest.approx(62_837_280 * 11 / 12, rel=0.2)
    assert stages["grey and crop"]["bytes"] > 96 * 96
    assert np.all([stage["cpu_ms"] > 0 for stage in stages.values()])


def test_the_page_on_benchmarks_shows_what_was_measured():
    text = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    block = text.partition("<!-- tracked frame:")[2].partition("<!-- end of tracked frame")[0]
    rows = "\n".join(line for line in block.splitlines() if line.startswith("|"))
    results = ROOT / "benchmarks" / "results" / "tracked_frame.json"
    assert rows == work.table(json.loads(results.read_text("utf-8")))
