import itertools

import pytest

from edge.formats.names import read_name, written_name


@pytest.mark.parametrize(
    ("name", "encoding", "written"),
    [
        ("caf\u00e9", "utf-8", "caf\u00e9"),
        ("caf\u00e9", "ascii", r"caf\xe9"),
        (r"caf\xe9", "ascii", r"caf\\xe9"),
        (r"caf\xe9", "utf-8", r"caf\xe9"),
        ("\udcff", "utf-8", r"\udcff"),
        (r"\udcff", "utf-8", r"\\udcff"),
        (r"\uDCFF \U0000dcff \Uffffffff", "utf-8", r"\uDCFF \\U0000dcff \Uffffffff"),
        ("\u0416\u00d7", "cp1251", "\u0416\\xd7"),
        ("\U0001f600", "ascii", r"\U0001f600"),
        (r"C:\users\x12\new\u00e9.jpg", "utf-8", r"C:\users\x12\new\u00e9.jpg"),
        (r"\\server\share\udder.jpg", "utf-8", r"\\server\share\udder.jpg"),
        (r"a\b", "ascii", r"a\b"),
    ],
)
def test_what_an_encoding_lacks_is_written_with_a_backslash(name, encoding, written):
    assert written_name(name, encoding) == written
    assert read_name(written, encoding) == name


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1251"])
def test_different_names_are_written_differently_and_read_back(encoding):
    parts = ("\\", "\udcff", "udcff", "xe9", "\u00e9", "U0001f600", "\U0001f600", "a")
    names = {"".join(chosen) for n in range(6) for chosen in itertools.product(parts, repeat=n)}
    written = {name: written_name(name, encoding) for name in names}
    assert len(set(written.values())) == len(names)
    for name, text in written.items():
        text.encode(encoding)
        assert read_name(text, encoding) == name
