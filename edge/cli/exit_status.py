"""The exit status of a command; expected failures are one line on standard error."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable

from edge.errors import EdgeError

_BROKEN_PIPE = 141  # 128 + SIGPIPE, as a shell reports it
_INTERRUPTED = 130  # 128 + SIGINT


class UsageError(Exception):
    """The value of a command line option is out of range."""


def run_command(work: Callable[[], int], interrupted: str = "interrupted") -> int:
    """Run a command's work, and turn errors into an exit status.

    Pillow's warnings of damaged metadata and large images are not shown while it runs: what makes
    an image unusable is reported as an error.

    Args:
        work: returns the number of failures, each of which it has reported itself.
        interrupted: message for KeyboardInterrupt.

    Returns:
        0 for success; 1 if anything failed, and 2 for a UsageError, with one line on standard
        error; 130 after KeyboardInterrupt; 141, without a message, if standard output is a pipe
        whose reader has closed it.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="PIL")
            failed = work()
        sys.stdout.flush()
        return 1 if failed else 0
    except BrokenPipeError:
        # Without this the interpreter would print another error when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except UsageError as error:
        return _fail(str(error), 2)
    except (EdgeError, OSError) as error:
        return _fail(str(error), 1)
    except KeyboardInterrupt:
        return _fail(interrupted, _INTERRUPTED)


def _fail(message: str, status: int) -> int:
    print(f"edge: {message}", file=sys.stderr)
    return status
