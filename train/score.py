"""`python -m train.score RUN`: teach a run's `face_score` what a detector takes for faces.

Of the network only the branch of `face_score` is learnt anew: from faces with and without masks and
from false alarms, both as the detector gives them, beside those that `train.run` uses.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from train.errors import RunError
from train.exit_status import report
from train.run_record import (
    CALIBRATION,
    HISTORY,
    MODEL,
    SETS,
    VALIDATION,
    read_held_out,
    read_record,
    write_record,
)

_PHOTOS = 700  # of each set at most


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m train.score",
        description="Teach face_score what a detector mistakes for faces; all else stays.",
    )
    add = parser.add_argument
    add("run", metavar="RUN", help="folder of a finished run of a keypoint network")
    add("--data", required=True, metavar="FILE", help="the faces it was trained on")
    add("--photos", required=True, metavar="FILE", help="of train.prepare --recipe face")
    add("--negatives", required=True, metavar="DIR", help="photos without faces")
    add("--detector", required=True, metavar="FILE.onnx", help="whose mistakes are to be learnt")
    add("--model", required=True, metavar="FILE.onnx", help="RUN, exported: how it looks again")
    add("-o", "--output", required=True, metavar="DIR", help="folder for the changed run")
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Teach as the command line asks; returns what was written to `run.json`."""
    import keras

    from edge.networks.face_detector import FaceDetector
    from edge.networks.keypoint_model import KeypointModel
    from train.checkpoints import load, save
    from train.data.faces import hash_file, read_faces
    from train.data.negatives import load_photos
    from train.detector.photos import Photo, load_photos_with_boxes
    from train.detector.proposals import cut_candidates
    from train.keypoints.face_score import make_crops
    from train.keypoints.output_heads import replace_score
    from train.recipes import RECIPES

    source, folder = Path(args.run), Path(args.output)
    record, model = read_record(source), load(source / MODEL)
    if record.get("recipe", {}).get("name") not in RECIPES:
        raise RunError(f"{source}: is no run of a keypoint network")
    recipe = RECIPES[record["recipe"]["name"]]
    faces = read_faces(args.data)
    training = faces.take(~read_held_out(source, faces))
    negatives = load_photos(args.negatives)
    none = np.empty((0, 4), np.float32)
    photos = _some(load_photos_with_boxes(args.photos))
    photos += [Photo(pixels, none, none, "negatives") for pixels in negatives]
    rng = np.random.default_rng(recipe.seed)
    keras.utils.set_random_seed(recipe.seed)
    crops = zip(
        make_crops(training, negatives, recipe.augmentation, rng),
        cut_candidates(FaceDetector(args.detector), KeypointModel(args.model), photos),
        strict=True,
    )
    right, wrong = (np.concatenate(pair) for pair in crops)
    folder.mkdir(parents=True, exist_ok=True)
    save(replace_score(model, right, wrong, recipe.seed), folder / MODEL)
    for name in (HISTORY, SETS, CALIBRATION, VALIDATION):
        if (source / name).exists() and source.resolve() != folder.resolve():
            shutil.copy(source / name, folder / name)
    record["face_score"] = {
        "faces": len(right),
        "others": len(wrong),
        "sha256": {name: hash_file(getattr(args, name)) for name in ("detector", "photos")},
    }
    record["data_sha256"][Path(args.data).name] = hash_file(args.data)
    write_record(record, folder)
    return record


def _some(photos: list[Any]) -> list[Any]:
    """At most `_PHOTOS` photos of each set that holds whole photos, spread over it."""
    from train.recipes import FACE_RECIPES

    some = []
    for name, _ in FACE_RECIPES["face"].photos:
        own = [photo for photo in photos if photo.source == name]
        some += own[:: max(1, -(-len(own) // _PHOTOS))]
    return some


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report(lambda: _result(args.output, run(args)["face_score"]))


def _result(folder: str, counts: dict[str, Any]) -> str:
    return f"{folder}: face_score of {counts['faces']} faces and {counts['others']} others"


if __name__ == "__main__":
    sys.exit(main())
