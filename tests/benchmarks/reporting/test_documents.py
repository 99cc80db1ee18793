import json

import pytest

from benchmarks.reporting.documents import DocumentError, Table

OLD = (
    "before\n<!-- sizes: generated from sizes.json -->\n\n| old |\n\n<!-- end of sizes -->\nafter\n"
)
TABLE = Table("page.md", "sizes", "sizes.json", f"{__name__}:sizes")


def sizes(results):
    return f"| {results['size']} |\n"


@pytest.fixture
def root(tmp_path, monkeypatch):
    folder = tmp_path / "benchmarks" / "results"
    folder.mkdir(parents=True)
    (folder / "sizes.json").write_text(json.dumps({"size": 7}))
    (tmp_path / "page.md").write_text(OLD)
    monkeypatch.setattr(
        "benchmarks.reporting.documents.importlib.import_module", lambda name: _Module
    )
    return tmp_path


class _Module:
    sizes = staticmethod(sizes)
    both = staticmethod(lambda *results: f"{len(results)} files: {results[1]['size']}")


def test_a_table_is_written_between_its_marks_and_nowhere_else(root):
    assert TABLE.shown(root) == "| old |"
    assert TABLE.write(root)
    assert (root / "page.md").read_text() == OLD.replace("old", "7")
    assert TABLE.shown(root) == TABLE.render(root) == "| 7 |"


def test_a_table_that_is_up_to_date_changes_nothing(root):
    TABLE.write(root)
    assert not TABLE.write(root)


def test_a_document_without_the_marks_is_an_error(root):
    (root / "page.md").write_text("no marks")
    with pytest.raises(DocumentError, match=r"page\.md: has no place for the table sizes"):
        TABLE.write(root)


def test_a_table_of_several_files_gets_the_results_of_each(root):
    (root / "benchmarks" / "results" / "others.json").write_text(json.dumps({"size": 9}))
    table = Table("page.md", "sizes", ("sizes.json", "others.json"), f"{__name__}:both")
    assert table.render(root) == "2 files: 9"
