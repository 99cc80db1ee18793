"""Exit status of the commands: an expected error is one line on standard error and status 1."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType

from edge.cli.streams import make_streams_readable
from edge.errors import EdgeError
from edge.extras import describe_missing
from train.errors import TrainError

# What the extra `train` installs.
_PACKAGES = ("cv2", "keras", "matplotlib", "onnx", "pandas", "tensorflow", "tf2onnx")


def report_missing(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print one line about a package that a command lacks; an excepthook for `sys`.

    Args:
        kind: of the error.
        error: uncaught; of any other kind it is printed with its traceback.
        trace: where it was raised.
    """
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    if str(name).partition(".")[0] in _PACKAGES:
        assert isinstance(error, ModuleNotFoundError)
        print(f"train: {describe_missing(error, 'train')}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


def report(command: Callable[[], str]) -> int:
    """Run a command and print the text it returns, if any.

    Returns:
        The exit status: 0, or 1 with one line on standard error.
    """
    make_streams_readable()
    try:
        text = command()
    except (TrainError, EdgeError, OSError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 1
    if text:
        print(text)
    return 0
