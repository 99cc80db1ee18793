"""`python -m benchmarks.run`: latency, throughput and accuracy on this machine.

The scenarios are MLPerf's: one query after another (single stream) and batches (offline). Beside
them, start-up time, each stage of a photo, and the same photos processed by peers.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmarks.comparison.environments import HOME
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.project import embedded_models
from benchmarks.harness.timing import FULL, QUICK
from benchmarks.latency.scenarios import Plan, measure
from benchmarks.reporting.tables import table
from edge.networks.precision import keypoint_file


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run",
        description="Measure latency, throughput, memory and, with --data, accuracy; with --peers, "
        "also of other software.",
    )
    add = parser.add_argument
    add("models", nargs="*", metavar="MODEL", type=keypoint_file,
        help="keypoint .onnx files (default: the embedded ones)")  # fmt: skip
    add(
        "--quick",
        action="store_true",
        help="at least 128 queries and 10 s each, instead of 1,024 and 60 s",
    )
    add(
        "--data",
        metavar="DIR",
        type=Path,
        help="folder with kaggle/ and helen/, to measure accuracy",
    )
    add(
        "--peers",
        action="store_true",
        help="measure peers too, installed by python -m benchmarks.peers",
    )
    add("--home", metavar="DIR", type=Path, default=HOME,
        help="folder of the peers' environments (default: %(default)s)")  # fmt: skip
    add("--yunet", metavar="FILE", type=Path, help="YuNet's .onnx file, to measure it as a peer")
    add(
        "--landmarks",
        metavar="FILE",
        type=Path,
        help="another landmark model's .onnx file, likewise",
    )
    add("-o", "--output", metavar="FILE", type=Path, help="write the results as JSON")
    args = parser.parse_args(argv)
    if args.peers and not args.data:
        parser.error("--peers needs --data: they are compared on its photos")
    if len({path.name for path in args.models}) < len(args.models):
        parser.error("two models have the same name")
    return args


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measure what the arguments select."""
    peer_files = {"yunet": args.yunet, "landmarks": args.landmarks}
    return measure(
        Plan(
            models=tuple(args.models or embedded_models()),
            length=QUICK if args.quick else FULL,
            data=args.data,
            peers=args.home if args.peers else None,
            files={name: path for name, path in peer_files.items() if path},
        )
    )


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report_results(
        lambda: run(args),
        table,
        args.output,
        lambda key: f"{key} is missing in the annotations",
    )


if __name__ == "__main__":
    sys.exit(main())
