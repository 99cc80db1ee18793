"""`python -m train.prepare`: convert annotated photos to the training file of `train.run`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from train.data.annotation_schemes import read_convention
from train.data.faces import Faces, join, read_annotated, save_faces
from train.data.sources import LABELS, Source, read_source
from train.data.split import copies_of
from train.errors import DataError
from train.exit_status import report
from train.recipes import FACE_RECIPES, JOINT_RECIPES, RECIPES, DetectorRecipe

if TYPE_CHECKING:
    from train.detector.photos import Photo

CONVENTION = "convention.json"
_MAX_SKIPPED_LINES = 5  # of one set


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; a usage error exits with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m train.prepare",
        description="Crop the faces of annotated photos and write one training file for train.run. "
        "A SOURCE is a folder of photos with annotations.jsonl, 68-point .pts or LabelMe files; a "
        ".json file of COCO or Label Studio or an .xml file of CVAT; WFLW's list (.txt), COFW's "
        ".mat or AFLW's .sqlite; or Kaggle's training.csv (or its zip).",
    )
    add = parser.add_argument
    add("sources", nargs="+", metavar="SOURCE", help="with --recipe: the folder of its sets")
    add("-o", "--output", required=True, metavar="FILE.npz", help="the training file to write")
    names = {name for name, recipe in RECIPES.items() if recipe.sources}
    names.update(FACE_RECIPES, JOINT_RECIPES)
    add("--recipe", choices=sorted(names),
        help="prepare the sets of this recipe, which are in the one SOURCE")  # fmt: skip
    add("--webp", type=int, choices=range(1, 101), metavar="QUALITY",
        help="compress the photos of a detector's recipe (1–100), for a smaller file")  # fmt: skip
    add("--labels", choices=LABELS, default="keypoints",
        help="labels of annotations.jsonl to use (default: %(default)s)")  # fmt: skip
    add("--convention", metavar="FILE",
        help="JSON file of offsets from the 68-point scheme to Kaggle's")  # fmt: skip
    add("--person", default="", metavar="REGEX",
        help="pattern whose first group, in a photo's source, is the person")  # fmt: skip
    add("--apart-from", nargs=2, metavar=("TABLE", "IMAGES"),
        help="skip near-duplicates of these test images")  # fmt: skip
    args = parser.parse_args(argv)
    if args.webp and args.recipe not in FACE_RECIPES:
        parser.error("--webp needs the --recipe of a detector")
    if args.recipe and len(args.sources) > 1:
        parser.error("--recipe takes one SOURCE, the folder of its sets")
    if Path(args.output).suffix != ".npz":
        parser.error("--output must end in .npz")
    return args


def run(args: argparse.Namespace) -> str:
    """Prepare the sets of the command line; returns a table of what was written."""
    output = Path(args.output)
    folder = Path(args.sources[0])
    if args.recipe in FACE_RECIPES:
        return _prepare_photos(FACE_RECIPES[args.recipe], folder, output, args.webp)
    if args.recipe in JOINT_RECIPES:
        return _prepare_labelled(folder, output)
    faces = join(_read_sets(args))
    if args.apart_from:
        test_faces, _ = read_annotated(*args.apart_from)
        copies = copies_of(faces.crops().images, test_faces.images)
        print(f"skipped: {copies.sum()} near-duplicates of test images", file=sys.stderr)
        faces = faces.take(~copies)
    output.parent.mkdir(parents=True, exist_ok=True)
    save_faces(faces, output)
    return _table(faces)


def _read_sets(args: argparse.Namespace) -> list[Faces]:
    folder = Path(args.sources[0]) if args.recipe else Path()
    convention_file = args.convention
    if args.recipe:
        sources = RECIPES[args.recipe].sources
        convention_file = convention_file or folder / CONVENTION
    else:
        sources = tuple(_source_of(path, args) for path in args.sources)
    convention = read_convention(convention_file) if convention_file else None
    sets = []
    for source in sources:
        faces, skipped = read_source(source, folder, convention)
        _print_skipped(skipped, source.name)
        sets.append(faces)
    return sets


def _print_skipped(skipped: list[str], name: str) -> None:
    for line in skipped[:_MAX_SKIPPED_LINES]:
        print(f"skipped: {line}", file=sys.stderr)
    if len(skipped) > _MAX_SKIPPED_LINES:
        print(f"skipped: {len(skipped)} faces of {name} in total", file=sys.stderr)


def _source_of(text: str, args: argparse.Namespace) -> Source:
    path = Path(text)
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    return Source(path.stem, text, args.labels, bool(args.convention), args.person)


def _table(faces: Faces) -> str:
    lines = [f"{'set':<14}{'faces':>7}{'groups':>8}{'points':>8}"]
    for name in dict.fromkeys(faces.sources.tolist()):
        of_set = faces.take(faces.sources == name)
        labelled = (~np.isnan(of_set.keypoints).any(axis=2)).sum(axis=1).mean()
        groups = len(np.unique(of_set.groups))
        lines.append(f"{name:<14}{len(of_set):>7}{groups:>8}{labelled:>8.1f}")
    return "\n".join([*lines, f"{'all':<14}{len(faces):>7}"])


def _prepare_labelled(folder: Path, output: Path) -> str:
    """Write the padded crops of the keypoints recipes; returns a table of them."""
    from train.data.labelled_faces import save_labelled
    from train.data.labelled_sources import read_all

    faces = read_all(folder, seed=0)
    output.parent.mkdir(parents=True, exist_ok=True)
    save_labelled(faces, output)
    lines = [f"{'set':<32}{'crops':>7}{'turned':>8}"]
    for name in dict.fromkeys(faces.sources.tolist()):
        turned = faces.turned[faces.sources == name]
        lines.append(f"{name:<32}{len(turned):>7}{turned.sum():>8}")
    return "\n".join(lines)


def _prepare_photos(recipe: DetectorRecipe, folder: Path, output: Path, quality: int | None) -> str:
    """Write the photos of a detector recipe; returns a table of them."""
    from train.detector.photo_file import save_photos
    from train.detector.photos import read_all

    photos, skipped = read_all(recipe, folder)
    for line in skipped:
        print(f"skipped: {line}", file=sys.stderr)
    output.parent.mkdir(parents=True, exist_ok=True)
    save_photos(photos, output, quality)
    return _table_of_photos(photos)


def _table_of_photos(photos: Sequence[Photo]) -> str:
    lines = [f"{'set':<14}{'photos':>7}{'faces':>7}"]
    for name in dict.fromkeys(photo.source for photo in photos):
        of_set = [photo for photo in photos if photo.source == name]
        lines.append(f"{name:<14}{len(of_set):>7}{sum(len(p.boxes) for p in of_set):>7}")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report(lambda: run(args))


if __name__ == "__main__":
    sys.exit(main())
