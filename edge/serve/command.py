"""`python -m edge.serve`: an inference server for browsers and programs, with a page."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from edge.cli.exit_status import UsageError, run_command
from edge.cli.model_options import open_models
from edge.cli.streams import make_streams_readable
from edge.extras import require
from edge.serve.limits import LOOPBACK, Limits
from edge.serve.options import PROG, parse_args

_MAX_ANSWERS = 2  # times for an answer after which a worker process is killed

if TYPE_CHECKING:
    import argparse

    from edge.facekeypoints import FaceKeypoints
    from edge.serve.live.stream import LiveStream
    from edge.serve.live.watching import Watcher

# Of the extra `serve`.
_PACKAGES = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")


def run(args: argparse.Namespace) -> int:
    """Serve until a signal stops the server; returns the number of failures, 0.

    Raises:
        EdgeError: a package, a network or the live source is missing, or the address is not
            available.
    """
    for package in _PACKAGES:
        require(package, "serve", "the server")
    detect = open_models(args)
    limits = _limits(args)
    if args.batch_ms is not None:
        print(
            "edge: --batch-ms has no effect, as images are no longer processed in batches, and "
            "goes in 0.3; see --workers",
            file=sys.stderr,
        )
    with ExitStack() as stack:
        live = _open_stream(args, detect, limits, stack)
        _serve(args, detect, limits, live, stack)
    return 0


def _serve(
    args: argparse.Namespace,
    detect: FaceKeypoints,
    limits: Limits,
    live: LiveStream | None,
    stack: ExitStack,
) -> None:
    from edge.serve.app import make_app
    from edge.serve.uvicorn_server import listen, make_server
    from edge.serve.workers import open_workers

    token = args.token or os.environ.get("EDGE_TOKEN") or None
    workers = stack.enter_context(
        closing(open_workers(detect, args.workers, _MAX_ANSWERS * limits.answer_seconds))
    )
    local = args.host in LOOPBACK
    app = make_app(detect, limits, token=token, local=local, live=live, workers=workers)
    server = make_server(app, limits, live.stop if live else lambda: None)

    def print_address(port: int) -> None:
        line = _startup_line(args.host, port, token, live)
        print(line, file=sys.stderr, flush=True)

    listen(server, args.host, args.port, print_address)


def _limits(args: argparse.Namespace) -> Limits:
    return replace(Limits(), pixels=args.max_pixels, queue=args.max_queue)


def _open_stream(
    args: argparse.Namespace, detect: FaceKeypoints, limits: Limits, stack: ExitStack
) -> LiveStream | None:
    from edge.serve.live.stream import LiveStream

    source = args.camera if args.camera is not None else args.video
    if source is None:
        return None
    make_watcher = partial(_make_watcher, args, stack) if args.watch else None
    return LiveStream(detect, source, limits.viewers, make_watcher)


def _make_watcher(args: argparse.Namespace, stack: ExitStack, source: str) -> Watcher:
    """What watches a source of this name; a connection to a broker is closed with the stack."""
    from edge.serve.live.watching import Watcher

    if args.mqtt is None:
        return Watcher()
    from edge.serve.live.mqtt import Broker, HomeAssistant, parse_address

    try:
        address = parse_address(args.mqtt)
    except ValueError as error:
        raise UsageError(f"--mqtt: {error}") from error
    broker = Broker(*address, *map(os.environ.get, ("EDGE_MQTT_USER", "EDGE_MQTT_PASSWORD")))
    publish = HomeAssistant(broker, args.mqtt_name or socket.gethostname(), source)
    stack.callback(publish.close)
    return Watcher(publish)


def _startup_line(host: str, port: int, token: str | None, live: LiveStream | None) -> str:
    """The address, from where it can be reached, what it serves, and whether it needs a token."""
    address = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
    reach = "this computer only" if host in LOOPBACK else "reachable from the network"
    services = f"inference and the live stream of {live.name}" if live else "inference"
    access = "token required" if token else "no token required, set one with --token"
    return f"edge: {address} ({reach}): {services}; {access}"


def main(argv: list[str] | None = None, prog: str = PROG) -> int:
    """Run the command line, which its messages call `prog`; returns the exit status."""
    make_streams_readable()
    args = parse_args(argv, prog)
    return run_command(lambda: run(args))
