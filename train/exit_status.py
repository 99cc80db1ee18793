"""Exit status of the commands: an expected error is one line on standard error and status 1."""

from __future__ import annotations

import sys
from collections.abc import Callable

from edge.cli.streams import make_streams_readable
from edge.errors import EdgeError
from edge.extras import describe_missing
from train.errors import TrainError


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
    except ModuleNotFoundError as error:
        print(f"train: {describe_missing(error, 'train')}", file=sys.stderr)
        return 1
    if text:
        print(text)
    return 0
