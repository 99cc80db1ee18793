import json

import pytest

from train.credits import main, make_notice

COMMIT = "63aef57b5a839aebe3ad913ec7c76469aabbb6c5"
ROWS = [
    ("portraits", "CC BY 4.0", "some-group/site blob 134aeba:media/people/A-Name.png"),
    ("portraits", "CC BY 4.0", f"some-group/site@{COMMIT}:media/team/b.jpg"),
    ("portraits", "CC BY 4.0", f"some-group/site@{COMMIT}:media/team/c.jpg"),
    ("archive", "public domain by age", "the national archive, box 7"),
    ("made", "MIT (generated)", f"one/made-faces@{COMMIT}:a.jpg"),
]


@pytest.fixture
def write(tmp_path):
    """Write annotations of rows (set, licence, source)."""

    def write_rows(rows):
        (tmp_path / "permissive").mkdir(exist_ok=True)
        lines = [
            json.dumps({"image": "x", "set": a, "licence": b, "source": c, "faces": []})
            for a, b, c in rows
        ]
        (tmp_path / "permissive" / "annotations.jsonl").write_text("\n".join(lines))
        return tmp_path

    return write_rows


def paragraphs(notice):
    """By set, its paragraph in one line."""
    part = notice.partition("Pictures\n\n")[2].partition("\n\n")[0]
    texts = [" ".join(text.split()) for text in part.split("- ")[1:]]
    return {text.partition(":")[0]: text for text in texts}


def test_each_set_has_its_licence_its_count_and_its_origin(write):
    sets = paragraphs(make_notice(write(ROWS)))
    assert list(sets) == ["archive", "made", "portraits"]
    assert sets["portraits"] == (
        "portraits: 3 pictures. CC BY 4.0, https://creativecommons.org/licenses/by/4.0/. "
        "Credit: some-group, https://github.com/some-group/site, in media/people, media/team."
    )
    assert sets["archive"] == (
        "archive: 1 pictures. public domain by age. From the national archive, box 7."
    )
    assert sets["made"].endswith(
        "MIT (generated), https://opensource.org/license/mit. "
        "From https://github.com/one/made-faces."
    )


def test_the_notice_names_the_model_files_and_what_the_labels_were_fitted_on(write):
    notice = make_notice(write(ROWS))
    assert notice.startswith("The files in edge/models/, and those in export/models/")
    assert "export/models/research/" in notice  # which are not covered
    assert "ridge regression" in notice
    assert max(map(len, notice.splitlines())) <= 100


@pytest.mark.parametrize("licence", ["CC BY-NC 4.0", "CC BY-SA 4.0", "CC BY ND", "research only"])
def test_a_licence_that_is_not_permissive_is_one_line(write, licence, capsys):
    assert main([str(write([*ROWS, ("other", licence, "x")]))]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"line 6: the licence {licence!r} is not known to let anyone use the picture" in line


def test_two_licences_in_one_set_are_one_line(write, capsys):
    assert main([str(write([*ROWS, ("made", "CC0 (generated)", "x")]))]) == 1
    assert "expected one licence for the set made" in capsys.readouterr().err


def test_missing_values_and_files_are_one_line(tmp_path, write, capsys):
    assert main([str(tmp_path)]) == 1
    folder = write([])
    for text, message in (
        ("", "no pictures"),
        ('{"faces": [], "set": "a"}', "'licence' is missing"),
    ):
        (folder / "permissive" / "annotations.jsonl").write_text(text)
        assert main([str(folder)]) == 1
        assert message in capsys.readouterr().err.splitlines()[-1]


def test_it_is_written_to_a_file_or_printed(write, tmp_path, capsys):
    folder = write(ROWS)
    assert main([str(folder)]) == 0
    printed = capsys.readouterr().out
    assert main([str(folder), "-o", str(tmp_path / "LICENSE-WEIGHTS")]) == 0
    assert (tmp_path / "LICENSE-WEIGHTS").read_text().rstrip() == printed.rstrip()
