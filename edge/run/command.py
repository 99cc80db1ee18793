"""`python -m edge.run photo.jpg`: find faces and their keypoints, draw and write them."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge.cli.exit_status import run_command
from edge.cli.model_options import open_models
from edge.run.options import parse_args

if TYPE_CHECKING:
    import argparse


def run(args: argparse.Namespace) -> int:
    """Do what the command line asks; returns how many sources failed."""
    from edge.run.output_paths import CropNames, Outputs, PictureNames, open_tables
    from edge.run.reporter import Settings
    from edge.run.resume import cut_back
    from edge.run.films import Runner
    from edge.run.sources import expand

    sources = expand(args.sources, args.recursive)
    names = [source.name for source in sources]
    detect = open_models(args)
    tables = [path for path in (args.json, args.csv) if path and path != "-"]
    pictures = None if args.no_picture else PictureNames(names, args.output, tables)
    done = cut_back(args.json, args.csv, set(names)) if args.resume else set()
    crops = CropNames(Path(args.align), names) if args.align else None
    settings = Settings(
        print_faces="-" not in (args.json, args.csv), names=args.names, errors=args.errors,
        blur=args.blur, align_size=args.align_size, every=args.every, start=args.start,
        stop=args.stop, smooth=args.smooth == "on",
    )  # fmt: skip
    with open_tables(detect.keypoint_names, args.json, args.csv, names, args.resume) as rows:
        runner = Runner(detect, Outputs(rows, pictures, crops), settings, done)
        runner.run(sources)
    if runner.failed and len(sources) > 1:
        print(f"edge: {runner.failed} of {len(sources)} sources failed", file=sys.stderr)
    return runner.failed


def _print_info(args: argparse.Namespace) -> int:
    from edge.run.environment import describe

    print(describe(args.model, args.precision, args.threads, args.detector))
    return 0


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names need not be valid text
    return run_command(lambda: _print_info(args) if args.info else run(args))
