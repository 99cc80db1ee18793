"""`python -m train.eyes DATA -o RUN`: train the network that measures how far an eye is open."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from train.exit_status import report


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; a usage error exits with status 2."""
    from train.eyes.recipe import EyeRecipe

    parser = argparse.ArgumentParser(
        prog="python -m train.eyes",
        description="Train the eye network on photos with face meshes, whose eyes are closed by "
        "moving the lids.",
    )
    add = parser.add_argument
    add("data", metavar="DATA", type=Path, help="folder with permissive/")
    add("-o", "--output", metavar="DIR", type=Path, required=True, help="folder for the run")
    add("--epochs", type=int, default=EyeRecipe().epochs, metavar="N",
        help="passes over the views (default: %(default)s)")  # fmt: skip
    add("--views", type=int, default=EyeRecipe().views, metavar="N",
        help="views of each eye (default: %(default)s)")  # fmt: skip
    args = parser.parse_args(argv)
    if args.epochs < 1 or args.views < 1:
        parser.error("--epochs and --views must be at least 1")
    return args


def run(args: argparse.Namespace) -> str:
    """Train; returns the line to print."""
    from train.eyes.recipe import EyeRecipe
    from train.eyes.training import train_eyes
    from train.run_record import RunPaths

    recipe = replace(EyeRecipe(), epochs=args.epochs, views=args.views)
    found = train_eyes(recipe, RunPaths(args.data, args.output))["validation"]
    return (
        f"{args.output}: off by {found['difference']} eye widths in the mean on held-out views, "
        f"correlation {found['correlation']}"
    )


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report(lambda: run(args))


if __name__ == "__main__":
    sys.exit(main())
