import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import edge
from edge.files import TEMPORARY_PREFIX, package_folder, temporary_path, write_atomically

PACKAGE = Path(edge.__file__).parent


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


def test_a_folder_of_the_package_is_where_it_lies():
    assert package_folder("models") == PACKAGE / "models"
    assert package_folder("none") == PACKAGE / "none"


def test_a_package_in_a_zip_file_finds_its_networks_and_leaves_nothing(sample, tmp_path):
    with zipfile.ZipFile(tmp_path / "edge.zip", "w") as archive:
        for path in sorted(PACKAGE.rglob("*")):
            if path.suffix in (".py", ".onnx", ".html"):
                archive.write(path, path.relative_to(PACKAGE.parent))
    (tmp_path / "temporary").mkdir()
    code = (
        "import sys; sys.path.insert(0, 'edge.zip')\n"
        "import edge\n"
        "from edge.files import package_folder\n"
        "assert 'edge.zip' in edge.__file__, edge.__file__\n"
        "for precision in ('fp32', 'int8'):\n"
        "    print(len(edge.FaceKeypoints(precision=precision)(sys.argv[1])))\n"
        "print((package_folder('serve', 'page') / 'index.html').is_file())\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [sys.executable, "-c", code, str(sample)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout.split(), done.stderr) == (["1", "1", "True"], "")
    assert not list((tmp_path / "temporary").iterdir())
