"""What the commands of this package share: a failure is one line and an exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from edge.errors import EdgeError


class UsageError(Exception):
    """A setting on the command line is out of its range."""


def report(work: Callable[[], int], interrupted: str = "interrupted") -> int:
    """Do a command's work.

    Args:
        work: returns how much of it failed.
        interrupted: what to say when it is stopped from the keyboard.

    Returns:
        The exit status, and except with 0 or where `work` has said why, one line on standard error:
        0; 1 where anything failed; 2 where a setting is out of its range; 130 when interrupted.
        141, without a line, where nobody reads standard output any more.
    """
    try:
        failed = work()
        sys.stdout.flush()
        return 1 if failed else 0
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python would complain once more on closing it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except UsageError as error:
        print(f"edge: {error}", file=sys.stderr)
        return 2
    except (EdgeError, OSError) as error:
        print(f"edge: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"edge: {interrupted}", file=sys.stderr)
        return 130
