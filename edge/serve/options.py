"""The command line of `python -m edge.serve`: its options and its help."""

from __future__ import annotations

import argparse
import re

from edge import __version__
from edge.cli.model_options import add_models
from edge.serve.limits import Limits

PROG = "python -m edge.serve"
_MAX_PORT = 65_535

_EPILOG = """\
The page is at http://127.0.0.1:8000/, the API documentation at /docs. On any other address the
server is reachable from the network; set a token then, with --token or EDGE_TOKEN in the
environment. Browsers ask for it as the password (of any user), programs send the header
"Authorization: Bearer TOKEN".

Exit status: 0 stopped by SIGTERM or Ctrl-C, 1 failure, 2 usage error.
"""


def make_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The parser of the command line, whose usage calls it `prog`."""
    parser = argparse.ArgumentParser(
        prog=prog, description="Serve face keypoint inference over HTTP.",
        epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("--version", action="version", version=f"edge {__version__}")
    add("--host", default="127.0.0.1", metavar="ADDRESS",
        help="address to listen on (default: %(default)s, this computer only; 0.0.0.0: all "
        "interfaces)")  # fmt: skip
    add("--port", type=int, default=8000, metavar="N",
        help="port to listen on; 0: any free port (default: %(default)s)")  # fmt: skip
    add("--token", help="token that requests must carry (default: EDGE_TOKEN if set, else none)")
    stream = parser.add_mutually_exclusive_group()
    stream.add_argument("--camera", type=_camera, metavar="N",
        help="stream camera number N; pi: a Raspberry Pi's own, or pi1 its second")  # fmt: skip
    stream.add_argument("--video", metavar="FILE", help="stream a video file in a loop")
    _add_watching(parser.add_argument_group("watching the camera or video"))
    add("--workers", type=int, metavar="N",
        help="processes that infer, 85 MB each; 1: the server's own (default: one per processor, "
        "at most 4)")  # fmt: skip
    _add_limits(parser.add_argument_group("limits"))
    add_models(parser.add_argument_group("face detection"))
    return parser


def parse_args(argv: list[str] | None = None, prog: str = PROG) -> argparse.Namespace:
    """Parse the command line; exits with status 2 on a usage error."""
    parser = make_parser(prog)
    args = parser.parse_args(argv)
    _check_ranges(parser, args)
    args.watch = args.watch or args.mqtt is not None
    if args.watch and args.camera is None and args.video is None:
        parser.error("--watch and --mqtt need --camera or --video")
    return args


def _add_watching(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--watch", action="store_true",
        help="measure its faces all the time, not for viewers alone: faces, attention, blinks and "
        "yawns in /metrics")  # fmt: skip
    add("--mqtt", metavar="HOST[:PORT]",
        help="publish faces and attention for Home Assistant; user and password from "
        "EDGE_MQTT_USER and EDGE_MQTT_PASSWORD in the environment; implies --watch")  # fmt: skip
    add("--mqtt-name", metavar="NAME",
        help="name of the device in Home Assistant (default: the computer's)")  # fmt: skip


def _camera(text: str) -> int | str:
    """The number of a camera, or the name of a Raspberry Pi's."""
    if re.fullmatch(r"pi\d*", text):
        return f"camera:{text}"
    if not re.fullmatch(r"\d+", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"expected a number or pi, found {text!r}")
    return int(text)


def _add_limits(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    defaults = Limits()
    add("--max-pixels", type=int, default=defaults.pixels, metavar="N",
        help="pixels of one image (default: %(default)s)")  # fmt: skip
    add("--max-queue", type=int, default=defaults.queue, metavar="N",
        help="requests in progress or queued (default: %(default)s)")  # fmt: skip
    add("--batch-ms", type=float, help=argparse.SUPPRESS)  # of 0.1; see `edge.serve.command`


def _check_ranges(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    if not 0 <= args.port <= _MAX_PORT:
        parser.error(f"--port must be between 0 and {_MAX_PORT}")
    if args.max_pixels < 1 or args.max_queue < 1:
        parser.error("--max-pixels and --max-queue must be at least 1")
    if args.workers is not None and args.workers < 1:
        parser.error("--workers must be at least 1")
