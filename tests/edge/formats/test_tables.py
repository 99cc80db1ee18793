import io
import zipfile

import pytest

from edge.formats.tables import open_table, parse_whole, read_rows

TABLE = "a,b\n1,2\n"


def rows_of(text):
    names, rows = read_rows(io.StringIO(text, newline=""))
    return names, [tuple(row.values()) for row in rows]


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n3,4\n",
        "a,b\r\n1,2\r\n3,4\r\n",
        "a;b\n1;2\n3;4\n",
        "a\tb\n1\t2\n3\t4",
        "a, b\n1, 2\n 3 ,4 \n",
        '"a","b"\n"1", "2"\n3,4\n',
        "a,b,,\n1,2,,\n3,4,,\n,,,\n",
        "a,b\n1,2\n\n3,4\n,\n , \n",
    ],
)
def test_the_forms_in_which_programs_save_a_table_are_alike(text):
    assert rows_of(text) == (["a", "b"], [("1", "2"), ("3", "4")])


def test_cells_that_a_row_lacks_are_empty_and_too_many_are_an_error():
    assert rows_of("a,b\n1\n") == (["a", "b"], [("1", "")])
    with pytest.raises(ValueError, match="row 2 has more cells than the header has columns"):
        rows_of("a,b\n1,2\n3,4,5\n")


def test_a_repeated_column_is_an_error():
    with pytest.raises(ValueError, match="'a' occurs twice"):
        rows_of("a, a\n1,2\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_table_is_opened_plain_and_zipped_whatever_its_name(tmp_path, encoding):
    data = TABLE.encode(encoding)
    (tmp_path / "plain.txt").write_bytes(data)
    with zipfile.ZipFile(tmp_path / "zipped.csv", "w") as archive:
        archive.writestr("__MACOSX/._t.csv", b"\0\5\x16\7")
        archive.writestr("data/._t.csv", b"\0\5\x16\7")
        archive.writestr("data/t.CSV", data)
        archive.writestr("readme.txt", b"")
    for name in ("plain.txt", "zipped.csv"):
        with open_table(tmp_path / name) as file:
            assert file.read() == TABLE


@pytest.mark.parametrize("names", [[], ["a.csv", "b.csv"], ["__MACOSX/._a.csv"]])
def test_a_zip_file_without_one_table_is_an_error(tmp_path, names):
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("other.txt", b"")
        for name in names:
            archive.writestr(name, TABLE)
    with (
        pytest.raises(ValueError, match=r"expected one \.csv file"),
        open_table(tmp_path / "t.zip"),
    ):
        pass


@pytest.mark.parametrize(
    ("text", "number"), [("17", 17), ("17.0", 17), (" 42. ", 42), ("-3", -3), ("007", 7)]
)
def test_a_whole_number_in_its_forms(text, number):
    assert parse_whole(text) == number


@pytest.mark.parametrize("text", ["", "17.5", "1e3", "nan", "seven", "1 7", "17,0", "9" * 19])
def test_what_is_no_whole_number_is_an_error(text):
    with pytest.raises(ValueError, match="expected a whole number"):
        parse_whole(text)
