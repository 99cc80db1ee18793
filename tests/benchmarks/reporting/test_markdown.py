from benchmarks.reporting.markdown import header, row


def test_a_table_is_made_of_a_header_and_rows():
    assert [*header("a", "b"), row("1", "")] == ["| a | b |", "|---|---|", "| 1 |  |"]
