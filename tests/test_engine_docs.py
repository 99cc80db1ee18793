"""docs/engines.md against what was measured."""

import json
import re

from benchmarks.engines.__main__ import failures
from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "engines.md").read_text("utf-8")
RESULTS = json.loads((ROOT / "benchmarks" / "results" / "engines.json").read_text("utf-8"))


def test_the_measured_engines_compute_the_same():
    assert f"`{RESULTS['machine']['processor']}`" in TEXT
    assert failures(RESULTS) == []


def test_the_functions_that_it_names_exist():
    from benchmarks.engines import graphs, worker
    from export import detector_graph

    for name in re.findall(r"`(?:benchmarks\.engines\.graphs\.)?(\w+)`", TEXT):
        if name in ("always_computed", "fix_shape", "take_floats", "split_detector"):
            assert hasattr(graphs, name)
    assert hasattr(worker, "open_coreml")
    assert hasattr(detector_graph, "decode")
