"""`python -m benchmarks.run`: how long everything takes here, and how near it is to the truth.

The scenarios are MLPerf's: one query after another (single stream), as many as go in batches
(offline); then the start of a process, each stage of a photo's way, and the same photos by peers.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmarks.harness.exit_status import report_results
from benchmarks.harness.timing import FULL, QUICK
from benchmarks.latency.scenarios import Plan, measure
from benchmarks.peers import HOME
from benchmarks.reporting.tables import table
from edge.networks.keypoint_model import EMBEDDED


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run",
        description="Measure latency, throughput, memory and, with data, accuracy, beside peers.",
    )
    add = parser.add_argument
    add("models", nargs="*", metavar="MODEL", type=Path,
        help="keypoint .onnx files (default: the embedded ones)")  # fmt: skip
    add("--quick", action="store_true", help="128 queries and 10 s of each, not 1,024 and 60 s")
    add("--data", metavar="DIR", type=Path, help="folder with kaggle/ and helen/, for accuracy")
    add("--peers", action="store_true", help="measure peers too (python -m benchmarks.peers)")
    add("--home", metavar="DIR", type=Path, default=HOME,
        help="where the peers are installed (default: %(default)s)")  # fmt: skip
    add("--yunet", metavar="FILE", type=Path, help="YuNet's .onnx file, to measure it as a peer")
    add("--landmarks", metavar="FILE", type=Path, help="any landmark .onnx file, likewise")
    add("-o", "--output", metavar="FILE", type=Path, help="where to write the results as JSON")
    args = parser.parse_args(argv)
    if args.peers and not args.data:
        parser.error("--peers needs --data: they are compared on its photos")
    if len({path.name for path in args.models}) < len(args.models):
        parser.error("two models have the same name")
    return args


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measure what the command line asks for."""
    given = {"yunet": args.yunet, "landmarks": args.landmarks}
    return measure(
        Plan(
            models=tuple(args.models) or (EMBEDDED, EMBEDDED.with_suffix(".int8.onnx")),
            amount=QUICK if args.quick else FULL,
            data=args.data,
            peers=args.home if args.peers else None,
            files={name: path for name, path in given.items() if path},
        )
    )


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report_results(
        lambda: run(args),
        table,
        args.output,
        lambda key: f"no {key} in the annotated pictures",
    )


if __name__ == "__main__":
    sys.exit(main())
