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


@pytest.mark.parametrize("command", ["run", "prepare", "inspect", "evaluate", "credits"])
def test_a_package_that_is_not_installed_is_one_line_and_status_1(run_python, command):
    code = (
        "import runpy, sys; sys.modules.update(dict.fromkeys(['cv2', 'keras', 'pandas']))\n"
        f"sys.argv = ['{command}']; runpy.run_module('train.{command}', run_name='__main__')"
    )
    done = run_python("-c", code)
    assert done.returncode == 1
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("train: this needs ")
    assert line.endswith("install it with: pip install 'edge-keypoints[train]'")


def test_another_missing_module_has_its_traceback(run_python):
    done = run_python("-c", "import train, nothing_of_this_name")
    assert done.returncode == 1
    assert done.stderr.decode().startswith("Traceback")


def test_the_text_of_a_command_is_printed_and_an_empty_one_is_not(capsys):
    assert report(lambda: "a table") == 0
    assert report(lambda: "") == 0
    assert capsys.readouterr().out == "a table\n"


def test_other_errors_are_not_caught():
    def command():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        report(command)
