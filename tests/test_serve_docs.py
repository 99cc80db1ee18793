"""What docs/serve.md shows is what the server does."""

import json
import re

import httpx

import edge
from benchmarks.serve import table
from edge.networks.precision_cache import VARIABLE
from edge.serve.app import _REFUSALS
from edge.serve.command import _greeting
from edge.serve.limits import Limits
from edge.serve.uploads import FORMATS
from tests.conftest import ROOT
from tests.edge.serve.serving import serving

TEXT = (ROOT / "docs" / "serve.md").read_text("utf-8")
RESULTS = json.loads((ROOT / "benchmarks" / "results" / "serve.json").read_text("utf-8"))


def test_the_load_is_that_measured():
    assert table(RESULTS) in TEXT
    assert RESULTS["machine"]["processor"] in TEXT


def test_under_overload_nothing_was_lost_and_every_result_was_the_same():
    over = RESULTS["overload"]
    assert set(over["answers"]) == {"200", "503"}
    assert sum(over["answers"].values()) == over["sent"]
    assert over["results_as_alone"] == over["answers"]["200"]
    after = over["mb_after_each_turn"]
    assert max(after) - after[0] < 0.1 * after[0]


def test_every_refusal_and_limit_is_told():
    for status in _REFUSALS:
        assert f"| {status} |" in TEXT
    limits = Limits()
    for told in (
        f"more than {limits.body_bytes // 1_000_000} MB",
        f"more than {limits.pixels:,} pixels",
        f"more than {limits.side:,} px",
        f"more than {limits.pictures} pictures or {limits.crops:,} crops",
        f"{limits.queue} requests (`--max-queue`) or {limits.queue_bytes // 1_000_000} MB",
        f"no answer within {limits.answer_seconds:g} s",
        f"longer than {limits.body_seconds:g} s",
        f"At most {limits.room_bytes // 1_000_000} MB",
        f"(up to {limits.viewers})",
        f"within {limits.batch_seconds * 1e3:g} ms",
        " and ".join([", ".join(FORMATS[:-1]), FORMATS[-1]]),
    ):
        assert told in TEXT, told


def test_every_route_is_told():
    with serving(edge.FaceKeypoints(precision="fp32")) as url:
        paths = httpx.get(f"{url}/openapi.json").json()["paths"]
    for path in paths:
        assert path.replace("{name}", "face") in TEXT, path


def test_the_greeting_is_as_shown():
    shown = re.search(r"\$ python -m edge.serve\n(.*)\n", TEXT)[1]
    assert _greeting("127.0.0.1", 8000, None, None) == shown


def test_links_and_pictures_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / "docs" / target).exists(), target


def test_the_unit_starts_what_there_is():
    unit = (ROOT / "docs" / "edge-serve.service").read_text("utf-8")
    from edge.serve.options import parse_args

    command = re.search(r"ExecStart=\S+ -m edge.serve (.*)", unit)[1]
    args = parse_args(command.split())
    assert (args.host, args.camera) == ("0.0.0.0", 0)
    assert "EDGE_TOKEN=" in unit
    folder = re.search(r"CacheDirectory=(\S+)", unit)[1]
    assert f"Environment={VARIABLE}=/var/cache/{folder}\n" in unit
    stop = int(re.search(r"TimeoutStopSec=(\d+)", unit)[1])
    assert stop >= Limits().body_seconds + Limits().answer_seconds + 5
