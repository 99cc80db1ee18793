"""`python -m train.run`: train a network from Kaggle's `training.csv`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from train.errors import RunError
from train.exit_status import report
from train.recipes import FACE_RECIPES, RECIPES, Recipe
from train.run_record import (
    CALIBRATION,
    MODEL,
    RECORD,
    SETS,
    VALIDATION,
    continue_record,
    describe,
    read_held_out,
    read_record,
    write_record,
)

_CALIBRATION_FACES = 256  # enough for the range of every activation, small enough to commit


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m train.run",
        description="Train a keypoint network. Ctrl-C leaves a run that --resume continues.",
    )
    add = parser.add_argument
    add("--data", required=True, metavar="FILE",
        help="from train.prepare (.npz), or Kaggle's training.csv, or its zip")  # fmt: skip
    add(
        "--recipe",
        choices=sorted({**RECIPES, **FACE_RECIPES}),
        default="reference",
        help="default: %(default)s",
    )
    add("--negatives", metavar="DIR", help="photos without faces, to teach face_score")
    add("-o", "--output", required=True, metavar="DIR", help="folder of the run")
    add("--from", dest="start_from", metavar="DIR",
        help="begin with the weights of that run, and hold out what it held out")  # fmt: skip
    add("--lured", metavar="FILE.onnx",
        help="a detector; what lures it and the faces it misses are shown more often")  # fmt: skip
    add("--resume", action="store_true", help="continue the run in the output folder")
    add("--epochs", type=int, metavar="N", help="instead of the recipe's")
    add("--seed", type=int, metavar="N", help="instead of the recipe's")
    args = parser.parse_args(argv)
    if args.epochs is not None and args.epochs < 1:
        parser.error("--epochs must be at least 1")
    if args.seed is not None and args.seed < 0:
        parser.error("--seed must not be negative")
    return args


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Train as the command line asks; returns what was written to `run.json`."""
    import keras

    from train.checkpoints import fit, save
    from train.data.faces import hash_file, read_faces
    from train.data.negatives import hash_photos, load_photos
    from train.data.split import split
    from train.keypoints.output_heads import add_heads, check_labels
    from train.plots import plot_history

    start = time.monotonic()
    if args.recipe in FACE_RECIPES:
        return _run_face(args)
    given = {key: getattr(args, key) for key in ("epochs", "seed")}
    changes = {key: value for key, value in given.items() if value is not None}
    recipe = dataclasses.replace(RECIPES[args.recipe], **changes)
    faces = read_faces(args.data)
    photos = load_photos(args.negatives) if args.negatives else []
    hashes = {Path(args.data).name: hash_file(args.data), "negatives": hash_photos(photos)}
    parent = Path(args.start_from) if args.start_from else None
    if parent:
        hashes["start_from"] = hash_file(parent / MODEL)
    record = describe(recipe, hashes, keras.backend.backend())
    held_out = read_held_out(parent, faces) if parent else np.zeros(len(faces), bool)
    if not held_out.any():
        rng = np.random.default_rng(recipe.seed)
        rows = split(faces.crops().images, recipe.validation_share, rng, faces.groups)
        held_out[rows[1]] = True
    training, validation = faces.take(~held_out), faces.take(held_out).crops()
    check_labels(training, validation)
    folder, record = _open_folder(Path(args.output), record, args.resume)
    keras.utils.set_random_seed(recipe.seed)
    first = parent / MODEL if parent else None
    network = fit(recipe, training, validation, folder, args.resume, first)
    model = add_heads(network, training, validation, photos, recipe)
    save(model, folder / MODEL)
    _save_sets(folder, training, validation, recipe)
    plot_history(folder)
    record["rows"] = {"training": len(training), "validation": len(validation)}
    record["negatives"] = len(photos)
    record["validation"] = _measure(model, validation)
    record["seconds_last_start"] = round(time.monotonic() - start)
    write_record(record, folder)
    return record


def _run_face(args: argparse.Namespace) -> dict[str, Any]:
    import keras

    from train.data.faces import hash_file
    from train.data.negatives import hash_photos, load_photos
    from train.detector.photos import load_photos_with_boxes
    from train.detector.training import train_face

    recipe = FACE_RECIPES[args.recipe]
    changes = {key: getattr(args, key) for key in ("epochs", "seed") if getattr(args, key)}
    recipe = dataclasses.replace(recipe, **changes)
    photos = load_photos_with_boxes(args.data)
    negatives = load_photos(args.negatives) if args.negatives else []
    hashes = {Path(args.data).name: hash_file(args.data), "negatives": hash_photos(negatives)}
    lured = Path(args.lured) if args.lured else None
    if lured:
        hashes["lured"] = hash_file(lured)
    first = Path(args.start_from) / MODEL if args.start_from else None
    if first:
        hashes["start_from"] = hash_file(first)
    record = {"kind": "detector", **describe(recipe, hashes, keras.backend.backend())}
    folder, record = _open_folder(Path(args.output), record, args.resume)
    record.update(train_face(recipe, photos, negatives, folder, args.resume, lured, first))
    write_record(record, folder)
    return record


def _open_folder(folder: Path, record: dict[str, Any], resume: bool) -> tuple[Path, dict[str, Any]]:
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder}: is no folder")
    if (folder / RECORD).exists():
        if not resume:
            raise RunError(f"{folder}: already holds a run; add --resume, or choose another folder")
        record = continue_record(read_record(folder), record, folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_record(record, folder)
    return folder, record


def _save_sets(folder: Path, training: Any, validation: Any, recipe: Recipe) -> None:
    rows = np.random.default_rng(recipe.seed).permutation(len(training))[:_CALIBRATION_FACES]
    sets = {CALIBRATION: training.take(np.sort(rows)).crops(), VALIDATION: validation}
    which = {}
    for name, faces in sets.items():
        np.savez_compressed(folder / name, faces=faces.images, keypoints=faces.keypoints)
        # Enough to find them again in the prepared file.
        pairs = zip(faces.sources.tolist(), faces.ids.tolist(), strict=True)
        which[Path(name).stem] = list(pairs)
    (folder / SETS).write_text(json.dumps(which) + "\n", encoding="utf-8")


def _measure(model: Any, faces: Any) -> dict[str, float]:
    from edge.evaluation.metrics import rmse, share_inside

    found = model.predict(faces.images[..., None], verbose=0)
    inside = share_inside(found["error"], found["keypoints"], faces.keypoints)
    return {
        "rmse_px": round(rmse(found["keypoints"], faces.keypoints), 4),
        "share_inside_error": round(float(np.nanmean(inside)), 4),
        "mean_face_score": round(float(found["face_score"].mean()), 4),
    }


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    try:
        return report(lambda: _result(args.output, run(args)))
    except KeyboardInterrupt:
        print(f"train: interrupted; continue with --resume -o {args.output}", file=sys.stderr)
        return 130


def _result(folder: str, record: dict[str, Any]) -> str:
    if "validation" not in record:
        return ""  # of a detector, which is measured elsewhere
    return f"{folder}: validation RMSE {record['validation']['rmse_px']} px"


if __name__ == "__main__":
    sys.exit(main())
