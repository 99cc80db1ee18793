"""The Dockerfile and its list of files agree with the tree and the command line."""

import json
import re

from edge.serve.options import parse_args
from tests.conftest import ROOT

TEXT = (ROOT / "Dockerfile").read_text("utf-8")
IGNORE = (ROOT / ".dockerignore").read_text("utf-8").split()


def instruction(name):
    return json.loads(re.search(rf"^{name} (\[.*\])$", TEXT, re.MULTILINE)[1])


def test_what_is_copied_exists_and_is_in_the_context():
    *files, _ = re.search(r"^COPY (pyproject.*)$", TEXT, re.MULTILINE)[1].split()
    for name in (*files, "edge"):
        assert (ROOT / name).exists(), name
        assert f"!{name}" in IGNORE, name


def test_everything_that_the_build_reads_is_copied():
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    files = re.search(r"^license-files = (\[.*\])$", project, re.MULTILINE)[1]
    for name in (*json.loads(files), "README.md", "hatch_build.py"):
        assert name in TEXT, name


def test_the_command_is_one_that_the_server_reads():
    assert instruction("ENTRYPOINT") == ["edge-keypoints"]
    command, *arguments = instruction("CMD")
    assert command == "serve"
    args = parse_args(arguments)
    assert args.host == "0.0.0.0"
    assert f"EXPOSE {args.port}" in TEXT
    check = re.search(r"^ +CMD (\[.*\])$", TEXT, re.MULTILINE)[1]
    assert f"http://127.0.0.1:{args.port}/health" in check


def test_the_user_is_not_root():
    assert re.findall(r"^USER (\d+):(\d+)$", TEXT, re.MULTILINE) == [("65532", "65532")]
