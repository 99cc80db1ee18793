import os
import warnings

import pytest

from edge.cli.exit_status import UsageError, run_command
from edge.errors import ImageError, MissingExtra, SourceError


def failing(error):
    def work():
        raise error

    return work


@pytest.mark.parametrize(("failures", "status"), [(0, 0), (1, 1), (256, 1)])
def test_the_status_is_1_if_there_was_any_failure_and_nothing_is_printed(failures, status, capsys):
    assert run_command(lambda: failures) == status
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ImageError("a.jpg: not an image"), 1),
        (SourceError("a.jpg: no such file"), 1),
        (MissingExtra("needs cv2"), 1),
        (OSError("disk full"), 1),
        (UsageError("threads must lie between 1 and 256"), 2),
    ],
)
def test_an_expected_error_is_one_line_and_its_status(error, status, capsys):
    assert run_command(failing(error)) == status
    assert capsys.readouterr() == ("", f"edge: {error}\n")


def test_an_interrupt_is_one_line_and_status_130(capsys):
    assert run_command(failing(KeyboardInterrupt())) == 130
    assert run_command(failing(KeyboardInterrupt()), "interrupted; use --resume") == 130
    assert capsys.readouterr().err == "edge: interrupted\nedge: interrupted; use --resume\n"


def test_a_mistake_of_the_program_is_a_traceback():
    with pytest.raises(ZeroDivisionError):
        run_command(lambda: 1 // 0)


@pytest.mark.skipif(os.name != "posix", reason="signals and pipes of Unix")
def test_a_closed_pipe_is_status_141_without_a_message(run_python):
    code = (
        "import os, sys; from edge.cli.exit_status import run_command;"
        "read, write = os.pipe(); os.close(read); os.dup2(write, 1);"
        "sys.exit(run_command(lambda: print('x' * 100000) or 0))"
    )
    done = run_python("-c", code)
    assert (done.returncode, done.stderr) == (141, b"")


def test_pillows_warnings_are_not_shown_while_a_command_runs_and_no_others_are_hidden():
    def work():
        warnings.warn_explicit("damaged", UserWarning, "x.py", 1, module="PIL.TiffImagePlugin")
        with pytest.raises(UserWarning, match="of our own"):
            warnings.warn("of our own", stacklevel=1)
        return 0

    before = list(warnings.filters)
    assert run_command(work) == 0
    assert list(warnings.filters) == before
