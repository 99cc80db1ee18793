"""`python -m train.inspect training.zip -o DIR`: plot the contents of a training file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.keypoints import KEYPOINT_NAMES
from train.data.augmentation import augment
from train.data.faces import Faces, read_faces
from train.data.split import near_duplicates
from train.exit_status import report
from train.plots import Marks, plot_faces, plot_mean_face, plot_missing
from train.recipes import RECIPES, Recipe

_SHEET_FACES = 48
_DUPLICATE_PAIRS = 24
_AUGMENTED_FACES = 8
_AUGMENTED_COPIES = 7  # with the original: eight columns


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; a usage error exits with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m train.inspect",
        description="Plot the faces of a training file and print statistics of its keypoints.",
    )
    add = parser.add_argument
    add("data", metavar="FILE", help="Kaggle's training.csv, its zip, or train.prepare's .npz")
    add("-o", "--output", required=True, metavar="DIR", help="folder for the plots")
    add("--augmented", choices=sorted(RECIPES),
        help="also plot faces augmented as by this recipe")  # fmt: skip
    add("--seed", type=int, default=0, help="seed of the random choices")
    return parser.parse_args(argv)


def run(data: str, folder: Path, seed: int, augmented: str | None = None) -> str:
    """Write the plots to `folder`; returns the table as text."""
    padded = read_faces(data)
    faces = padded.crops()
    folder.mkdir(parents=True, exist_ok=True)
    missing = np.asarray(np.isnan(faces.keypoints).any(axis=2))  # (N, K)
    pairs = near_duplicates(faces.images)
    _plot_sheet(faces, missing, folder / "faces.png", np.random.default_rng(seed))
    plot_missing(missing.mean(axis=0), folder / "missing.png")
    plot_mean_face(faces.images, faces.keypoints, folder / "mean_face.png")
    if augmented:
        rng = np.random.default_rng(seed)
        _plot_augmented(padded, RECIPES[augmented], folder / "augmented.png", rng)
    if len(pairs):
        _plot_pairs(faces, pairs[:_DUPLICATE_PAIRS], folder / "duplicates.png")
    return _table(faces, missing, pairs)


def _plot_sheet(
    faces: Faces, missing: NDArray[np.bool_], path: Path, rng: np.random.Generator
) -> None:
    rows = np.sort(rng.permutation(len(faces))[:_SHEET_FACES])
    # A missing keypoint is marked at its mean position.
    mean = np.nan_to_num(_mean_points(faces), nan=-1.0)
    absent = np.where(missing[rows][..., None], mean, np.nan)
    marks = [
        Marks("labelled", faces.keypoints[rows]),
        Marks("missing (at its mean position)", absent, marker="x", colour="red"),
    ]
    plot_faces(faces.images[rows], marks, path, titles=[f"row {i}" for i in faces.ids[rows]])


def _plot_augmented(faces: Faces, recipe: Recipe, path: Path, rng: np.random.Generator) -> None:
    """One row per face: the original, then augmented copies."""
    rows = rng.permutation(len(faces))[:_AUGMENTED_FACES]
    crops = faces.crops()
    cells = []
    for row in rows:
        cells.append((crops.images[row], crops.keypoints[row]))
        for _ in range(_AUGMENTED_COPIES):
            pair = faces.images[row], faces.keypoints[row]
            cells.append(augment(*pair, recipe.augmentation, rng))
    images, keypoints = zip(*cells, strict=True)
    titles = [
        f"{faces.sources[row]} {faces.ids[row]}" if i == 0 else ""
        for row in rows
        for i in range(_AUGMENTED_COPIES + 1)
    ]
    plot_faces(np.stack(images), [Marks("label", np.stack(keypoints))], path, titles=titles)


def _plot_pairs(faces: Faces, pairs: NDArray[np.int64], path: Path) -> None:
    rows = pairs.reshape(-1)
    marks = [Marks("labelled", faces.keypoints[rows])]
    plot_faces(faces.images[rows], marks, path, titles=[f"row {i}" for i in faces.ids[rows]])


def _mean_points(faces: Faces) -> NDArray[np.float32]:
    labelled = ~np.isnan(faces.keypoints).any(axis=2)
    total = np.nansum(faces.keypoints, axis=0)
    count = labelled.sum(axis=0)[:, None]
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _table(faces: Faces, missing: NDArray[np.bool_], pairs: NDArray[np.int64]) -> str:
    mean = _mean_points(faces)
    lines = [
        f"{'keypoint':<26}{'labelled':>9}{'missing':>9}{'mean x':>8}{'mean y':>8}{'spread':>8}"
    ]
    for k, name in enumerate(KEYPOINT_NAMES):
        labelled = faces.keypoints[~missing[:, k], k]
        spread = np.sqrt(labelled.var(axis=0).sum()) if len(labelled) else np.nan
        lines.append(
            f"{name:<26}{len(labelled):>9}{missing[:, k].mean():>9.1%}"
            f"{mean[k, 0]:>8.1f}{mean[k, 1]:>8.1f}{spread:>8.2f}"
        )
    complete = int((~missing.any(axis=1)).sum())
    copies = len(np.unique(pairs))
    lines += [
        "",
        f"{len(faces)} faces, {complete} with all {len(KEYPOINT_NAMES)} keypoints; "
        f"{len(pairs)} pairs of near-duplicates among {copies} faces.",
        "Positions in px of the 96×96 image; spread is the root of the summed variance.",
    ]
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    status = report(lambda: run(args.data, Path(args.output), args.seed, args.augmented))
    if not status:
        print(f"plots: {args.output}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
