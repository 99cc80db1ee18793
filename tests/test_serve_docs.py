"""docs/serve.md agrees with the server, its limits and its measurements."""

import json
import re

import httpx

import edge
from edge.networks.precision_cache import VARIABLE
from edge.serve.command import _startup_line
from edge.serve.limits import Limits
from edge.serve.options import parse_args
from edge.serve.schemas import ERROR_DESCRIPTIONS
from edge.serve.uploads import FORMATS
from edge.serve.workers import MAX_DEFAULT
from tests.conftest import ROOT
from tests.edge.serve.serving import serving

TEXT = (ROOT / "docs" / "serve.md").read_text("utf-8")
RESULTS = json.loads((ROOT / "benchmarks" / "results" / "serve.json").read_text("utf-8"))


def test_the_document_names_the_processor():
    assert RESULTS["machine"]["processor"] in TEXT


def test_under_overload_no_request_was_lost_and_every_result_was_the_same():
    overload = RESULTS["overload"]
    assert set(overload["answers"]) == {"200", "503"}
    assert sum(overload["answers"].values()) == overload["sent"]
    assert overload["results_as_alone"] == overload["answers"]["200"]
    memory_mb = overload["mb_after_each_turn"]
    assert max(memory_mb) - memory_mb[0] < 0.1 * memory_mb[0]


def test_every_error_status_and_limit_is_documented():
    for status in ERROR_DESCRIPTIONS:
        assert f"| {status} |" in TEXT
    limits = Limits()
    for phrase in (
        f"more than {limits.body_bytes // 1_000_000} MB",
        f"more than {limits.pixels:,} pixels",
        f"more than {limits.side:,} px",
        f"more than {limits.images} images or {limits.crops:,} crops",
        f"{limits.queue} requests (`--max-queue`) or {limits.queue_bytes // 1_000_000} MB",
        f"no result within {limits.answer_seconds:g} s",
        f"longer than {limits.body_seconds:g} s",
        f"At most {limits.decoded_bytes // 1_000_000} MB",
        f"(up to {limits.viewers})",
        f"at most {MAX_DEFAULT} (`--workers`)",
        " and ".join([", ".join(FORMATS[:-1]), FORMATS[-1]]),
    ):
        assert phrase in TEXT, phrase


def test_every_route_is_documented():
    with serving(edge.FaceKeypoints(precision="fp32")) as url:
        paths = httpx.get(f"{url}/openapi.json").json()["paths"]
    for path in paths:
        assert path.replace("{name}", "face") in TEXT, path


def test_the_startup_line_is_as_shown():
    shown = re.search(r"\$ python -m edge.serve\n(.*)\n", TEXT)[1]
    assert _startup_line("127.0.0.1", 8000, None, None) == shown


def test_the_targets_of_links_exist():
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / "docs" / target).exists(), target


def test_the_systemd_unit_agrees_with_the_command_line_and_the_limits():
    unit = (ROOT / "docs" / "edge-serve.service").read_text("utf-8")
    command = re.search(r"ExecStart=\S+ -m edge.serve (.*)", unit)[1]
    args = parse_args(command.split())
    assert (args.host, args.camera) == ("0.0.0.0", 0)
    assert "EDGE_TOKEN=" in unit
    folder = re.search(r"CacheDirectory=(\S+)", unit)[1]
    assert f"Environment={VARIABLE}=/var/cache/{folder}\n" in unit
    stop = int(re.search(r"TimeoutStopSec=(\d+)", unit)[1])
    assert stop >= Limits().body_seconds + Limits().answer_seconds + 5
