"""The files of a release agree with one another."""

import re

import edge
from tests.conftest import ROOT

FORGE = ROOT / ".github"


def read(name):
    return (ROOT / name).read_text("utf-8")


def test_the_citation_and_the_changelog_name_the_version_and_one_date():
    released = re.findall(r"^## \[([\d.]+)\] - ([\d-]+)$", read("CHANGELOG.md"), re.MULTILINE)
    citation = read("CITATION.cff")
    version = re.search(r"^version: (.+)$", citation, re.MULTILINE)[1]
    date = re.search(r"^date-released: (.+)$", citation, re.MULTILINE)[1]
    assert released[0] == (version, date) == (edge.__version__, date)


def test_the_changelog_has_each_heading_once_in_a_version():
    for version in re.split(r"^## ", read("CHANGELOG.md"), flags=re.MULTILINE)[1:]:
        headings = re.findall(r"^### (.+)$", version, re.MULTILINE)
        assert len(set(headings)) == len(headings), version.splitlines()[0]


def test_actions_are_pinned_to_commits_and_get_no_rights_by_default():
    workflows = sorted((FORGE / "workflows").glob("*.yml"))
    assert [path.name for path in workflows] == ["ci.yml", "docs.yml", "release.yml"]
    for path in workflows:
        text = path.read_text("utf-8")
        assert "\npermissions: {}\n" in text, path.name
        for action in re.findall(r"uses: (.*)", text):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", action), action


def test_the_workflows_test_the_pythons_of_the_matrix():
    from benchmarks.harness.minimum_versions import PYTHONS

    listed = re.search(r"^ +python: \[(.*)\]$", read(".github/workflows/ci.yml"), re.MULTILINE)[1]
    assert tuple(re.findall(r"[\d.]+", listed)) == PYTHONS
    for python in PYTHONS:
        assert f'"Programming Language :: Python :: {python}"' in read("pyproject.toml")


def test_what_the_workflows_make_are_targets():
    targets = re.findall(r"^(\w+):", read("Makefile"), re.MULTILINE)
    for path in (FORGE / "workflows").glob("*.yml"):
        for line in re.findall(r"run: make (.*)", path.read_text("utf-8")):
            assert set(line.split()) <= set(targets), line


def test_both_issue_forms_ask_for_the_facts_of_a_bug_report():
    for name in ("bug.yml", "benchmark.yml"):
        assert "edge-keypoints info" in (FORGE / "ISSUE_TEMPLATE" / name).read_text("utf-8")
