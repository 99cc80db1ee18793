"""docs/architecture.md and its neighbours against the code."""

import re

import pytest

from tests.conftest import ROOT
from tests.edge.test_package import IMPORTS

DOCS = ROOT / "docs"
TEXT = (DOCS / "architecture.md").read_text("utf-8")
PAGES = [
    *(
        DOCS / name
        for name in ("architecture.md", "extending.md", "releasing.md", "runtime.md", "training.md")
    ),
    *sorted((DOCS / "decisions").glob("*.md")),
    *(ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md")),
]


def test_the_import_table_is_the_one_that_is_enforced():
    table = TEXT.partition("<!-- imports:")[2].partition("<!-- end of imports")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    shown = {}
    for row in rows:
        package, *allowed = re.findall(r"`([\w.]+)`", row)
        shown[package] = set(allowed)
    assert shown == IMPORTS


def exists(name):
    """Whether a dotted name is a module, or an attribute of one by its name in the source."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        base = ROOT.joinpath(*parts[:count])
        path = base.with_suffix(".py")
        if not path.is_file():
            path = base / "__init__.py"
        if path.is_file():
            source = path.read_text("utf-8")
            return all(re.search(rf"\b{part}\b", source) for part in parts[count:])
    return False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_modules_and_files_that_a_page_names_exist(page):
    text = page.read_text("utf-8")
    for name in set(re.findall(r"`((?:edge|train|export|benchmarks)(?:\.\w+)+)`", text)):
        assert exists(name), name
    for name in set(re.findall(r"`((?:edge|train|export|benchmarks|tests|docs)/[\w./]+)`", text)):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_local_links_of_a_page_lead_to_files(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_every_decision_is_in_the_index():
    index = (DOCS / "decisions" / "README.md").read_text("utf-8")
    pages = {path.name for path in (DOCS / "decisions").glob("*.md")} - {"README.md"}
    assert set(re.findall(r"\]\(([\w-]+\.md)\)", index)) == pages


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.parent.name == "decisions" and page.name != "README.md"],
    ids=lambda page: page.name,
)
def test_a_decision_has_context_decision_measurement_and_consequences(page):
    text = page.read_text("utf-8")
    parts = ("**Context.**", "**Decision.**", "**Measured", "**Consequences.**")
    places = [text.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)
