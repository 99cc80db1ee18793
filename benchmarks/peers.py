"""`python -m benchmarks.peers install`: virtual environments of the peers that are compared."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.comparison.environments import HOME, PEERS, install_peer


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers",
        description="Install the software that this package is compared with.",
    )
    add = parser.add_argument
    add("action", choices=["install"], help="create a virtual environment for each peer")
    add("peers", nargs="*", metavar="PEER", help=f"{', '.join(PEERS)} (default: all)")
    add("--home", type=Path, default=HOME, metavar="DIR",
        help="folder of the environments (default: %(default)s)")  # fmt: skip
    args = parser.parse_args(argv)
    if unknown := set(args.peers) - set(PEERS):
        parser.error(f"no such peer: {', '.join(sorted(unknown))}")
    return args


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    failures = 0
    for peer in args.peers or PEERS:
        environment = install_peer(peer, args.home)
        failures += bool(environment.failure)
        print(f"{peer}: {environment.failure or f'{environment.size_mb():.0f} MB'}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
