"""`python -m train.prepare`: photos with keypoints to one file of faces that `train.run` reads."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from train.data.annotation_schemes import read_convention
from train.data.faces import Faces, join, read_annotated, save_faces
from train.data.sources import LABELS, Source, read_source, read_table
from train.data.split import copies_of
from train.errors import DataError
from train.exit_status import report
from train.recipes import FACE_RECIPES, RECIPES, FaceRecipe

CONVENTION = "convention.json"
_SHOWN = 5


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m train.prepare",
        description="Cut faces out of photos with keypoints and write one file for train.run. A "
        "SOURCE is a folder of photos with annotations.jsonl or 68-point .pts files, or Kaggle's "
        "training.csv (or its zip).",
    )
    add = parser.add_argument
    add("sources", nargs="+", metavar="SOURCE", help="with --recipe: the one folder of its sets")
    add("-o", "--output", required=True, metavar="FILE.npz", help="where to write the faces")
    names = [*(n for n, r in RECIPES.items() if r.sources), *FACE_RECIPES]
    add("--recipe", choices=sorted(names),
        help="read the sets that this recipe names, under the one SOURCE")  # fmt: skip
    add("--labels", choices=LABELS, default="keypoints",
        help="which labels of annotations.jsonl (default: %(default)s)")  # fmt: skip
    add("--convention", metavar="FILE",
        help="offsets from the 68-point scheme to Kaggle's, to add to the labels")  # fmt: skip
    add("--person", default="", metavar="REGEX",
        help="its first group, in a photo's source, names the person")  # fmt: skip
    add("--apart-from", nargs=2, metavar=("TABLE", "IMAGES"),
        help="leave out faces whose picture is nearly one of these test pictures")  # fmt: skip
    args = parser.parse_args(argv)
    if args.recipe and len(args.sources) > 1:
        parser.error("--recipe takes one SOURCE, the folder of its sets")
    if Path(args.output).suffix != ".npz":
        parser.error("--output must end in .npz")
    return args


def run(args: argparse.Namespace) -> str:
    """Prepare what the command line asks for; returns a table of what was written."""
    if args.recipe in FACE_RECIPES:
        return _prepare_photos(FACE_RECIPES[args.recipe], Path(args.sources[0]), Path(args.output))
    if args.recipe:
        folder = Path(args.sources[0])
        sources = RECIPES[args.recipe].sources
        convention_file = args.convention or folder / CONVENTION
    else:
        folder = Path()
        sources = tuple(_from_path(path, args) for path in args.sources)
        convention_file = args.convention
    convention = read_convention(convention_file) if convention_file else None
    parts = []
    for source in sources:
        faces, left_out = read_source(source, folder, convention)
        for line in left_out[:_SHOWN]:
            print(f"left out: {line}", file=sys.stderr)
        if len(left_out) > _SHOWN:
            print(f"left out: {len(left_out)} of {source.name} in all", file=sys.stderr)
        parts.append(faces)
    faces = join(parts)
    if args.apart_from:
        others, _ = read_annotated(*args.apart_from)
        copies = copies_of(faces.crops().images, others.images)
        print(f"left out: {copies.sum()} copies of test pictures", file=sys.stderr)
        faces = faces.take(~copies)
    output = Path(args.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    save_faces(faces, output)
    return _table(faces)


def _prepare_photos(recipe: FaceRecipe, folder: Path, output: Path) -> str:
    from train.detector.photos import (
        HELD_BACK,
        from_faces,
        read_cut_faces,
        read_photos,
        save_photos,
    )

    photos = []
    for name, path in recipe.photos:
        some, left_out = read_photos(folder / path, name)
        for line in left_out:
            print(f"left out: {line}", file=sys.stderr)
        # One in five of the photos with hand boxes is left for measuring (`benchmarks`).
        photos += [
            p
            for i, p in enumerate(some)
            if name not in recipe.measured or i % HELD_BACK != HELD_BACK - 1
        ]
    for name, path in recipe.cut_faces:
        if (folder / path).is_dir():
            photos += read_cut_faces(folder / path, name)
        else:
            photos += from_faces(read_table(folder / path), name)
    output.parent.mkdir(parents=True, exist_ok=True)
    save_photos(photos, output)
    lines = [f"{'set':<14}{'photos':>7}{'faces':>7}"]
    for name in dict.fromkeys(photo.source for photo in photos):
        some = [photo for photo in photos if photo.source == name]
        lines.append(f"{name:<14}{len(some):>7}{sum(len(photo.boxes) for photo in some):>7}")
    return "\n".join(lines)


def _from_path(text: str, args: argparse.Namespace) -> Source:
    path = Path(text)
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    return Source(path.stem, text, args.labels, bool(args.convention), args.person)


def _table(faces: Faces) -> str:
    lines = [f"{'set':<14}{'faces':>7}{'groups':>8}{'points':>8}"]
    for name in dict.fromkeys(faces.sources.tolist()):
        part = faces.take(faces.sources == name)
        known = (~np.isnan(part.keypoints).any(axis=2)).sum(axis=1).mean()
        lines.append(f"{name:<14}{len(part):>7}{len(np.unique(part.groups)):>8}{known:>8.1f}")
    return "\n".join([*lines, f"{'all':<14}{len(faces):>7}"])


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report(lambda: run(args))


if __name__ == "__main__":
    sys.exit(main())
