import pytest

from edge.errors import ModelError
from train.errors import DataError, RunError
from train.exit_status import report


@pytest.mark.parametrize("error", [DataError, RunError, ModelError, OSError])
def test_an_expected_error_is_one_line_and_status_1(error, capsys):
    def command():
        raise error("a.csv: broken")

    assert report(command) == 1
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "train: a.csv: broken\n")


def test_a_package_that_is_not_installed_is_one_line_and_status_1(capsys):
    def command():
        raise ModuleNotFoundError("No module named 'pandas'", name="pandas")

    assert report(command) == 1
    assert capsys.readouterr().err.startswith("train: this needs pandas, which is not installed;")


def test_the_text_of_a_command_is_printed_and_an_empty_one_is_not(capsys):
    assert report(lambda: "a table") == 0
    assert report(lambda: "") == 0
    assert capsys.readouterr().out == "a table\n"


def test_other_errors_are_not_caught():
    def command():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        report(command)
