from importlib.util import find_spec

import pytest

pytest.importorskip("fsspec")

from edge.bulk.storage import describe, is_remote, open_address, storage_errors
from edge.errors import ImageError, MissingExtra, SourceError


def test_an_address_with_a_scheme_is_remote():
    assert is_remote("s3://bucket/a.jpg")
    assert not is_remote("/in/a.jpg")
    assert not is_remote("in/a:b.jpg")


def test_an_address_gives_its_file_system_and_the_path_in_it(memory, tmp_path):
    files, path = open_address("memory://bucket/a.jpg")
    assert files is memory
    assert path == "/bucket/a.jpg"
    files, path = open_address(str(tmp_path))
    assert path == str(tmp_path)
    assert files.isdir(path)


@pytest.mark.parametrize("address", ["nowhere://x", "github://x"])  # unknown, incomplete
def test_an_address_that_cannot_be_opened_is_a_source_error(address):
    with pytest.raises(SourceError, match=rf"^{address}: cannot be opened \("):
        open_address(address)


@pytest.mark.skipif(find_spec("s3fs") is not None, reason="s3fs is installed")
def test_a_client_that_is_not_installed_is_a_missing_extra():
    with pytest.raises(MissingExtra, match=r"^s3://bucket/: .*s3fs"):
        open_address("s3://bucket/")


def test_errors_of_a_client_become_source_errors():
    class ClientError(Exception):
        """Has no base class of other clients' errors."""

    for error in (ClientError("no answer\nand more"), RuntimeError("no answer")):
        with pytest.raises(SourceError) as caught, storage_errors("in: cannot be read", "; wait"):
            raise error
        assert str(caught.value) == "in: cannot be read (no answer); wait"
        assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [NameError("name 'Path' is not defined"), AssertionError("bug"),
    ImageError("in: empty")])  # fmt: skip
def test_defects_and_errors_of_this_package_are_not_converted(error):
    with pytest.raises(type(error)) as caught, storage_errors("in: cannot be read"):
        raise error
    assert caught.value is error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (FileNotFoundError("/bucket/none.jpg"), "no such file or folder"),
        (PermissionError(13, "Permission denied", "in/a.jpg"), "Permission denied"),
        (OSError("PAR1 expected\nat byte 3"), "PAR1 expected"),
        (KeyError(), "KeyError"),
    ],
)
def test_an_error_is_described_in_one_line(error, text):
    assert describe(error) == text
