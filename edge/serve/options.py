"""The command line of `python -m edge.serve`: its flags and its help."""

from __future__ import annotations

import argparse

from edge import __version__
from edge.cli.model_options import add_models
from edge.serve.limits import Limits

_LAST_PORT = 65_535

_EPILOG = """\
The page is at http://127.0.0.1:8000/, what programs may ask at /docs. Listening on another address
lets others in; --token, or EDGE_TOKEN in the environment, is then what they must know: browsers ask
for it as the password (of any user), programs send "Authorization: Bearer TOKEN".

Exit status: 0 stopped by SIGTERM or Ctrl-C, 1 something failed, 2 wrong usage.
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m edge.serve", description="Serve faces and keypoints over HTTP.",
        epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("--version", action="version", version=f"edge {__version__}")
    add("--host", default="127.0.0.1", metavar="ADDRESS",
        help="default: %(default)s, this computer alone; 0.0.0.0: everyone")  # fmt: skip
    add("--port", type=int, default=8000, metavar="N", help="default: %(default)s; 0: any")
    add("--token", help="what requests must bring; default: EDGE_TOKEN, if it is set")
    stream = parser.add_mutually_exclusive_group()
    stream.add_argument("--camera", type=int, metavar="N", help="show a camera, live")
    stream.add_argument("--video", metavar="FILE", help="show a video, over and over")
    _add_limits(parser.add_argument_group("limits"))
    add_models(parser.add_argument_group("how faces are found"))
    args = parser.parse_args(argv)
    if not 0 <= args.port <= _LAST_PORT:
        parser.error(f"--port must lie between 0 and {_LAST_PORT}")
    if args.max_pixels < 1 or args.max_queue < 1 or not args.batch_ms >= 0:
        parser.error("--max-pixels and --max-queue must be at least 1, --batch-ms at least 0")
    return args


def _add_limits(group: argparse._ArgumentGroup) -> None:
    add, usual = group.add_argument, Limits()
    add("--max-pixels", type=int, default=usual.pixels, metavar="N",
        help="of one picture (default: %(default)s)")  # fmt: skip
    add("--max-queue", type=int, default=usual.queue, metavar="N",
        help="requests that may be in work or wait (default: %(default)s)")  # fmt: skip
    add("--batch-ms", type=float, default=usual.batch_seconds * 1e3, metavar="MS",
        help="how long faces wait to share runs; 0: none do (default: %(default)s)")  # fmt: skip
