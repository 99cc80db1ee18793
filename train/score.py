"""`python -m train.score RUN`: retrain a run's `face_score` on a detector's proposals.

Only the branch of `face_score` is trained: on the crops that `train.run` uses and on proposals of
the detector, which are faces with and without masks and false positives; on at most as many as the
keypoints were trained on.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from train.errors import RunError
from train.exit_status import report
from train.recipes import FACE_RECIPES, JOINT_RECIPES, RECIPES, JointRecipe, Recipe
from train.run_record import (
    CALIBRATION,
    HISTORY,
    MODEL,
    RECORD,
    SETS,
    VALIDATION,
    read_held_out,
    read_record,
    write_record,
)

if TYPE_CHECKING:
    from train.detector.photos import Photo

_MAX_PHOTOS = 700  # of each set
_VIEWS, _VIEWS_AT_ONCE = 36_000, 2_000  # of a keypoints recipe
_NOISE = 6_000  # crops, likewise
_PERMISSIVE = ("permissive", "facemask", "no_face")  # its sets of complete photos

Crops = NDArray[np.uint8]  # (N, S, S)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; a usage error exits with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m train.score",
        description="Retrain face_score on the proposals of a detector; keypoints and error are "
        "unchanged. Started again after an interruption, it continues.",
    )
    add = parser.add_argument
    add("run", metavar="RUN", help="folder of a finished run of a keypoint network")
    add("--data", required=True, metavar="FILE", help="the faces that RUN was trained on")
    add("--photos", required=True, metavar="FILE", help="from train.prepare --recipe face")
    add("--negatives", metavar="DIR", help="photos without faces; not for a keypoints recipe")
    add("--detector", required=True, metavar="FILE.onnx", help="detector that makes the proposals")
    add(
        "--model",
        required=True,
        metavar="FILE.onnx",
        help="RUN, exported: refines the crop of each proposal",
    )
    add("-o", "--output", required=True, metavar="DIR", help="folder for the new run")
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Train as the command line says; returns what was written to `run.json`."""
    import keras

    from train.checkpoints import load, save
    from train.data.faces import hash_file
    from train.keypoints.face_score import tune_score
    from train.keypoints.output_heads import replace_score
    from train.keypoints.score_training import (
        CHECKPOINT,
        SHARE_OF_SCORE,
        ScorePlan,
        count_samples,
    )

    source, folder = Path(args.run), Path(args.output)
    record = read_record(source)
    model = load(source / MODEL)
    recipe = _recipe_of(record, source)
    keras.utils.set_random_seed(recipe.seed)
    folder.mkdir(parents=True, exist_ok=True)
    samples = count_samples(_keypoint_samples(record, source), SHARE_OF_SCORE)
    plan = ScorePlan(samples, recipe.seed, checkpoint=folder / CHECKPOINT)
    if isinstance(recipe, JointRecipe):
        crops = _add_proposals(args, *_read_labelled(args, recipe))
        model = tune_score(model, *crops, plan)
    else:
        crops = _add_proposals(args, *_read_faces(args, recipe, samples))
        model = replace_score(model, *crops, plan)
    faces, background = crops
    save(model, folder / MODEL)
    (folder / CHECKPOINT).unlink(missing_ok=True)
    _copy_files(source, folder)
    record["face_score"] = {
        "faces": len(faces),
        "others": len(background),
        "sha256": {name: hash_file(getattr(args, name)) for name in ("detector", "photos")},
    }
    record["data_sha256"][Path(args.data).name] = hash_file(args.data)
    write_record(record, folder)
    return record


def _recipe_of(record: dict[str, Any], folder: Path) -> Recipe | JointRecipe:
    name = record.get("recipe", {}).get("name")
    if name not in RECIPES and name not in JOINT_RECIPES:
        raise RunError(f"{folder}: not a run of a keypoint network")
    return RECIPES[name] if name in RECIPES else JOINT_RECIPES[name]


def _keypoint_samples(record: dict[str, Any], folder: Path) -> int:
    """The crops that the keypoints of a run were trained on."""
    try:
        samples = record.get("samples", record["recipe"].get("samples"))
        if samples is not None:
            return int(samples)
        return int(record["recipe"]["epochs"]) * int(record["rows"]["training"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{folder}: {RECORD} does not say how long it was trained") from error


def _read_faces(
    args: argparse.Namespace, recipe: Recipe, samples: int
) -> tuple[tuple[Crops, Crops], list[Photo]]:
    """The crops with and without a face of `train.run`, and photos for proposals."""
    from train.data.faces import read_faces
    from train.data.negatives import load_photos
    from train.detector.photo_file import load_photos_with_boxes
    from train.detector.photos import photo_without_faces
    from train.keypoints.face_score import make_crops

    if not args.negatives:
        raise RunError("--negatives is needed: a folder of photos without faces")
    negatives = load_photos(args.negatives)
    faces = read_faces(args.data)
    training = faces.take(~read_held_out(Path(args.run), faces))
    rng = np.random.default_rng(recipe.seed)
    photos = _sample(load_photos_with_boxes(args.photos))
    photos += [photo_without_faces(pixels, "negatives") for pixels in negatives]
    return make_crops(training, negatives, recipe.augmentation, samples, rng), photos


def _read_labelled(
    args: argparse.Namespace, recipe: JointRecipe
) -> tuple[tuple[Crops, Crops], list[Photo]]:
    """Random views with and without a face, noise among the latter, and photos for proposals."""
    from keras import ops

    from train.data.faces import SIDE
    from train.data.labelled_faces import load_labelled
    from train.data.noise import make_noise
    from train.detector.photo_file import load_photos_with_boxes
    from train.keypoints.device_views import render, to_pool
    from train.keypoints.joint_run import split_held_out
    from train.keypoints.random_views import ViewSource
    from train.keypoints.residual_network import POINTS

    training, _ = split_held_out(load_labelled(args.data))
    pool, source = to_pool(training.images), ViewSource(training)
    faces, background = [], []
    for start in range(0, _VIEWS, _VIEWS_AT_ONCE):
        views = source.draw(_VIEWS_AT_ONCE, np.random.default_rng((recipe.seed, start)))
        crops = ops.convert_to_numpy(render(pool, views, seed=start))[..., 0]
        score = views.targets[:, POINTS]  # NaN between a face and none
        faces.append(crops[score == 1])
        background.append(crops[score == 0])
    background.append(make_noise(_NOISE, SIDE, np.random.default_rng(recipe.seed)))
    photos = [photo for photo in load_photos_with_boxes(args.photos) if photo.source in _PERMISSIVE]
    return (np.concatenate(faces), np.concatenate(background)), photos


def _add_proposals(
    args: argparse.Namespace, crops: tuple[Crops, Crops], photos: list[Photo]
) -> tuple[Crops, Crops]:
    """Crops with and without a face, and the detector's proposals in photos."""
    from edge.networks.face_detector import FaceDetector
    from edge.networks.keypoint_model import KeypointModel
    from train.detector.proposals import crop_proposals

    proposals = crop_proposals(FaceDetector(args.detector), KeypointModel(args.model), photos)
    with_face, without_face = zip(crops, proposals, strict=True)
    return np.concatenate(with_face), np.concatenate(without_face)


def _sample(photos: list[Photo]) -> list[Photo]:
    """At most `_MAX_PHOTOS` evenly spaced photos of each set of complete photos."""
    sample = []
    for name, _ in FACE_RECIPES["face"].photos:
        of_set = [photo for photo in photos if photo.source == name]
        sample += of_set[:: max(1, -(-len(of_set) // _MAX_PHOTOS))]
    return sample


def _copy_files(source: Path, folder: Path) -> None:
    """Copy the files of a run that do not depend on its face score."""
    if source.resolve() == folder.resolve():
        return
    for name in (HISTORY, SETS, CALIBRATION, VALIDATION):
        if (source / name).exists():
            shutil.copy(source / name, folder / name)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    try:
        return report(lambda: _summary(args.output, run(args)["face_score"]))
    except KeyboardInterrupt:
        print(
            "train: interrupted; start again with the same arguments to continue", file=sys.stderr
        )
        return 130


def _summary(folder: str, counts: dict[str, Any]) -> str:
    crops = f"{counts['faces']} faces and {counts['others']} other crops"
    return f"{folder}: face_score trained on {crops}"


if __name__ == "__main__":
    sys.exit(main())
