"""What the commands of this folder share: a wrong input is one line and exit status 1."""

from __future__ import annotations

import sys
from collections.abc import Callable

from edge.errors import EdgeError
from train.errors import TrainError


def report(work: Callable[[], str]) -> int:
    """Run a command's work and print what it returns, if anything.

    Returns:
        The exit status: 0, or 1 with one line on standard error.
    """
    try:
        text = work()
    except (TrainError, EdgeError, OSError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 1
    if text:
        print(text)
    return 0
