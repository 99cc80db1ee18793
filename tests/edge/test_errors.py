import pytest

import edge
from edge.errors import first_line


def test_errors_are_the_builtins_one_would_expect():
    assert issubclass(edge.ImageError, (edge.EdgeError, ValueError))
    assert issubclass(edge.ModelError, ValueError)
    assert issubclass(edge.SourceError, OSError)
    assert issubclass(edge.MissingExtra, ImportError)


def test_the_reason_of_an_image_error_leaves_out_the_name():
    error = edge.ImageError("a.jpg: cannot be decoded", "cannot be decoded")
    assert (str(error), error.reason) == ("a.jpg: cannot be decoded", "cannot be decoded")
    assert edge.ImageError("no image").reason == "no image"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("one\ntwo"), "one"),
        (ValueError("\n  one \n"), "one"),
        (ValueError(), "ValueError"),
        (OSError(2, "No such file"), "[Errno 2] No such file"),
    ],
)
def test_the_first_line_of_an_error(error, line):
    assert first_line(error) == line
