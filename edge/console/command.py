"""`edge-keypoints photo.jpg`: the commands of this package under one name."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import NamedTuple

from edge.cli.streams import make_streams_readable

PROG = "edge-keypoints"


class _Command(NamedTuple):
    module: str  # has `main(argv, prog)`
    leading: tuple[str, ...] = ()  # arguments that the name stands for


_COMMANDS = {
    "run": _Command("edge.run.command"),
    "serve": _Command("edge.serve.command"),
    "bulk": _Command("edge.bulk.command"),
    "info": _Command("edge.run.command", ("--info",)),
    "completion": _Command("edge.console.completion"),
}


def main(argv: list[str] | None = None) -> int:
    """Run the command that the first argument names, or `run` on all of them.

    Args:
        argv: the arguments; None for those of the process.

    Returns:
        The exit status, as of `python -m edge.run`, `edge.serve` and `edge.bulk`.
    """
    arguments = sys.argv[1:] if argv is None else argv
    first = arguments[0] if arguments else ""
    if first in _COMMANDS:
        name, rest = first, arguments[1:]
    elif first in ("", "-h", "--help", "--version"):
        return _describe(arguments)
    else:
        name, rest = "run", arguments
    command = _COMMANDS[name]
    run: Callable[[list[str], str], int] = importlib.import_module(command.module).main
    return run([*command.leading, *rest], f"{PROG} {name}")


def _describe(arguments: list[str]) -> int:
    """Print what is asked for about the command as a whole; without arguments a usage error."""
    from edge.console.parser import make_parser

    make_streams_readable()
    parser = make_parser(PROG)
    parser.parse_args(arguments)
    parser.error("expected a command or a SOURCE")
