import pytest

from edge.files import TEMPORARY_PREFIX, temporary_path, write_atomically


def test_the_file_appears_with_its_whole_content(tmp_path):
    path = tmp_path / "a.json"
    with write_atomically(path) as part:
        assert (part.parent, part.suffix) == (tmp_path, ".json")
        part.write_text("new")
        assert not path.exists()
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_no_temporary_one(tmp_path, error):
    path = tmp_path / "a.json"
    path.write_text("old")

    def fail_halfway():
        with write_atomically(path) as part:
            part.write_text("half")
            raise error

    with pytest.raises(error):
        fail_halfway()
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]
    assert path.read_text() == "old"


def test_an_error_before_anything_is_written_is_passed_on(tmp_path):
    with pytest.raises(OSError, match="disk full"), write_atomically(tmp_path / "a"):
        raise OSError("disk full")
    assert list(tmp_path.iterdir()) == []


def test_temporary_names_are_hidden_short_and_differ(tmp_path):
    path = tmp_path / ("n" * 250 + ".npz")
    names = {temporary_path(path).name for _ in range(20)}
    assert len(names) == 20
    assert all(name.startswith(TEMPORARY_PREFIX) and name.endswith(".npz") for name in names)
    assert max(map(len, names)) < 40
