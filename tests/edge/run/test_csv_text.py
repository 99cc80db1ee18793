import csv

import pytest

from edge.run.csv_text import csv_line, parse_complete_rows


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("a", "a,1"), ("a,b", '"a,b",1'), ('a"b', '"a""b",1'), ("a\nb", '"a\nb",1'),
        ("a\rb", '"a\rb",1'), ("a b", "a b,1"),
    ],
)  # fmt: skip
def test_a_cell_is_quoted_only_where_it_must_be(cell, text):
    assert csv_line([cell, 1]) == text + "\n"
    assert parse_complete_rows(csv_line([cell, 1])) == [[cell, "1"]]


def test_a_last_row_that_is_cut_off_is_no_row():
    text = csv_line(["a\nb", 1]) + csv_line(["c", 2])
    assert parse_complete_rows(text) == [["a\nb", "1"], ["c", "2"]]
    for end in range(len(csv_line(["a\nb", 1])), len(text)):
        assert parse_complete_rows(text[:end]) == [["a\nb", "1"]]
    assert parse_complete_rows("") == []


def test_a_bare_carriage_return_is_no_row_of_ours():
    with pytest.raises(csv.Error):
        parse_complete_rows("a\rb,1\n")
