"""`python -m edge.serve`: faces and keypoints for browsers and programs, and a page to look at."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from edge.cli.exit_status import run_command
from edge.cli.model_options import open_models
from edge.errors import MissingExtra
from edge.serve.limits import LOOPBACK, Limits
from edge.serve.options import parse_args

if TYPE_CHECKING:
    import argparse

    from edge.serve.live_stream import Live

_PACKAGES = ("fastapi", "starlette", "pydantic", "uvicorn", "python_multipart", "prometheus_client")


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop; returns how much failed: nothing."""
    try:
        from edge.serve.app import make_app
        from edge.serve.live_stream import Live
        from edge.serve.uvicorn_server import listen, make_server
    except ModuleNotFoundError as error:
        if error.name not in _PACKAGES:
            raise
        raise MissingExtra(
            f"the server needs {error.name}; install the extra: pip install 'edge-keypoints[serve]'"
        ) from error
    detect = open_models(args)
    limits = replace(
        Limits(), pixels=args.max_pixels, queue=args.max_queue, batch_seconds=args.batch_ms / 1e3
    )
    source = args.camera if args.camera is not None else args.video
    live = None if source is None else Live(detect, source, limits.viewers)
    token, local = args.token or os.environ.get("EDGE_TOKEN") or None, args.host in LOOPBACK
    app = make_app(detect, limits, token=token, local=local, live=live)
    server = make_server(app, limits, live.stop if live else lambda: None)

    def greet(port: int) -> None:
        print(_greeting(args.host, port, token, live), file=sys.stderr, flush=True)

    listen(server, args.host, args.port, greet)
    return 0


def _greeting(host: str, port: int, token: str | None, live: Live | None) -> str:
    """One line: where it is, who can reach it, what they get, and what guards it."""
    address = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
    who = "this computer alone" if host in LOOPBACK else "everyone who reaches this address"
    what = f"the networks and the picture of {live.name}" if live else "the networks"
    guard = "guarded by the token" if token else "without a token; --token guards it"
    return f"edge: {address} offers {who} {what}, {guard}"


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return run_command(lambda: run(args))
