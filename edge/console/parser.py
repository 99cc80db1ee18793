"""The parser of `edge-keypoints` with all its commands, for its help and for shells."""

from __future__ import annotations

import argparse

import edge.bulk.options
import edge.run.options
import edge.serve.options
from edge import __version__
from edge.console.completion import make_parser as make_completion_parser

_EPILOG = """\
Without a command, the arguments are those of `run`; a file that is called like a command is named
by its path, as in ./run. `edge-keypoints COMMAND --help` describes a command.

Examples:
  edge-keypoints photo.jpg
  edge-keypoints run holiday/ --recursive -o annotated/ --json faces.jsonl
  edge-keypoints serve --camera 0
"""


def make_parser(prog: str) -> argparse.ArgumentParser:
    """The parser of the whole command line.

    Args:
        prog: the name of the command.

    Returns:
        A parser with one subparser for each command.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Find faces and their keypoints in photos, videos and archives.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"edge {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, make, purpose in (
        ("run", edge.run.options.make_parser, "images, folders, videos, cameras"),
        ("serve", edge.serve.options.make_parser, "a page and an HTTP API"),
        ("bulk", edge.bulk.options.make_parser, "archives of photos into Parquet"),
        ("info", edge.run.options.make_parser, "versions, models and processor, for bug reports"),
        ("completion", make_completion_parser, "the completion script of a shell"),
    ):
        commands.add_parser(
            name, help=purpose, add_help=False, parents=[make(f"{prog} {name}")]
        )  # fmt: skip
    return parser
