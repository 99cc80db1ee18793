"""`python -m train.run`: train the keypoint network or the face detector."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from train.errors import RunError
from train.exit_status import report
from train.keypoints.quick import export_and_predict
from train.recipes import FACE_RECIPES, JOINT_RECIPES, QUICK, RECIPES
from train.run_record import RunPaths


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; a usage error exits with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m train.run",
        description="Train the keypoint network or the face detector. --resume continues a run "
        "interrupted by Ctrl-C.",
    )
    add = parser.add_argument
    add("--data", required=True, metavar="FILE",
        help="from train.prepare (.npz), or Kaggle's training.csv, or its zip")  # fmt: skip
    names = sorted({**RECIPES, **FACE_RECIPES, **JOINT_RECIPES})
    add("--recipe", choices=names, help="default: reference")
    add("--quick", action="store_true",
        help="train a first network on Kaggle's training.csv for a few minutes (--recipe quick), "
        "export it and predict the sample photo")  # fmt: skip
    add("--negatives", metavar="DIR", help="photos without faces, for face_score")
    add("-o", "--output", required=True, metavar="DIR", help="folder of the run")
    add("--from", dest="start_from", metavar="DIR",
        help="start with the weights and the validation set of that run")  # fmt: skip
    add("--teacher", metavar="FILE.keras",
        help="network.keras of a keypoints-teacher run, for distillation")  # fmt: skip
    add("--minutes", type=float, metavar="N",
        help="time limit, towards which the learning rate decays")  # fmt: skip
    add("--resume", action="store_true", help="continue the run in the output folder")
    add("--epochs", type=int, metavar="N", help="override the recipe's number of epochs")
    add("--seed", type=int, metavar="N", help="override the recipe's seed")
    args = parser.parse_args(argv)
    if args.quick and args.recipe not in (None, QUICK):
        parser.error(f"--quick does not go with --recipe {args.recipe}")
    args.recipe = QUICK if args.quick else args.recipe or "reference"
    if args.epochs is not None and args.epochs < 1:
        parser.error("--epochs must be at least 1")
    if args.seed is not None and args.seed < 0:
        parser.error("--seed must not be negative")
    if args.minutes is not None and not args.minutes > 0:
        parser.error("--minutes must be positive")
    _check_recipe_options(parser, args)
    return args


def _check_recipe_options(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Reject options that the recipe would ignore."""
    ignored: tuple[str, ...] = ("teacher",)
    if args.recipe in JOINT_RECIPES:
        ignored = ("epochs", "negatives")
    elif args.recipe in FACE_RECIPES:
        ignored = ("teacher", "epochs", "negatives")
    for name in ignored:
        if getattr(args, name) is not None:
            parser.error(f"--{name} does not apply to the recipe {args.recipe}")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Train as the command line says; returns what was written to `run.json`."""
    paths = RunPaths(
        data=Path(args.data),
        output=Path(args.output),
        negatives=_path(args.negatives),
        start_from=_path(args.start_from),
        resume=args.resume,
    )
    options = {"epochs": args.epochs, "seed": args.seed}
    changes = {name: value for name, value in options.items() if value is not None}
    if args.recipe in FACE_RECIPES:
        if find_spec("torch") is None:
            raise RunError(f"the recipe {args.recipe} needs PyTorch: pip install torch")
        from train.detector.training import train_detector

        face_recipe = dataclasses.replace(FACE_RECIPES[args.recipe], **changes)
        return train_detector(face_recipe, paths, args.minutes)
    if args.recipe in JOINT_RECIPES:
        from train.keypoints.joint_run import train_joint

        recipe = dataclasses.replace(JOINT_RECIPES[args.recipe], **changes)
        return train_joint(recipe, paths, _path(args.teacher), args.minutes)
    from train.keypoints.training import train_keypoints

    if args.minutes is not None:
        changes["minutes"] = args.minutes
    return train_keypoints(dataclasses.replace(RECIPES[args.recipe], **changes), paths)


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    try:
        status = report(lambda: _summary(args.output, run(args)))
        if args.quick and not status:
            status = report(lambda: export_and_predict(Path(args.output)))
        return status
    except KeyboardInterrupt:
        print(f"train: interrupted; continue with --resume -o {args.output}", file=sys.stderr)
        return 130


def _summary(folder: str, record: dict[str, Any]) -> str:
    if "validation" not in record:
        return ""  # a detector is evaluated by `benchmarks`
    if "error" in record["validation"]:
        return f"{folder}: validation error {record['validation']['error']:.2%} of the eye distance"
    return f"{folder}: validation RMSE {record['validation']['rmse_px']} px"


if __name__ == "__main__":
    sys.exit(main())
