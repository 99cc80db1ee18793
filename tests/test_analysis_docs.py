"""docs/analysis.md shows what was measured and what the software prints."""

import json
import re
import shutil

from benchmarks.analysis.__main__ import failures
from edge.analysis.event import KINDS
from edge.analysis.state import MEASURES, SHARES, TEXTS
from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "analysis.md").read_text("utf-8")
RESULTS = json.loads((ROOT / "benchmarks" / "results" / "analysis.json").read_text("utf-8"))


def test_goals_that_are_not_reached_are_named():
    goals = TEXT.partition("The goals that this does not reach")[2]
    assert re.findall(r"^- (.*)$", goals, re.MULTILINE) == failures(RESULTS)


def test_all_measures_and_kinds_are_described():
    for name in (*MEASURES, *SHARES, *TEXTS, *KINDS):
        assert f"`{name}`" in TEXT, name


def test_the_state_is_that_of_the_sample(sample, tmp_path, run_python):
    shutil.copy(sample, tmp_path / "photo.jpg")
    command = "-m edge.run photo.jpg --precision fp32 --analyze --json - --no-picture"
    (face,) = json.loads(run_python(*command.split()).stdout)["faces"]
    shown = json.loads(re.search(r"```json\n(.*?)```", TEXT, re.DOTALL)[1])
    assert shown == {name: face["state"][name] for name in shown}
    assert set(shown) == set(face["state"])
