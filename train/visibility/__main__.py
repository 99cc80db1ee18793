"""`python -m train.visibility DATA -o RUN`: train the visibility network."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from train.exit_status import report


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; a usage error exits with status 2."""
    from train.visibility.recipe import VisibilityRecipe

    parser = argparse.ArgumentParser(
        prog="python -m train.visibility",
        description="Train the visibility network on photos with face meshes that are covered and "
        "turned, and on real masks.",
    )
    add = parser.add_argument
    add("data", metavar="DATA", type=Path, help="folder with permissive/ and facemask/")
    add("-o", "--output", metavar="DIR", type=Path, required=True, help="folder for the run")
    add("--epochs", type=int, default=VisibilityRecipe().epochs, metavar="N",
        help="passes over the views in each of two cycles (default: %(default)s)")  # fmt: skip
    add("--covers", type=int, default=VisibilityRecipe().covers, metavar="N",
        help="number of synthetic occlusions of each photo (default: %(default)s)")  # fmt: skip
    args = parser.parse_args(argv)
    if args.epochs < 1 or args.covers < 1:
        parser.error("--epochs and --covers must be at least 1")
    return args


def run(args: argparse.Namespace) -> str:
    """Train; returns the line to print."""
    from train.run_record import RunPaths
    from train.visibility.recipe import VisibilityRecipe
    from train.visibility.training import train_visibility

    recipe = replace(VisibilityRecipe(), epochs=args.epochs, covers=args.covers)
    found = train_visibility(recipe, RunPaths(args.data, args.output))["validation"]
    return (
        f"{args.output}: area under the curve {found['area']} on held-out faces, "
        f"{found['false_hidden']} of what is seen of uncovered ones counts as hidden"
    )


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report(lambda: run(args))


if __name__ == "__main__":
    sys.exit(main())
