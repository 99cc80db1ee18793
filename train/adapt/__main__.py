"""`python -m train.adapt MODEL.onnx --data FILE`: adapt a keypoint network to your own faces.

For some dozens of labelled faces of a camera, a light or a style that the network knows badly: they
are too few to train on, and enough to correct its last layer. Nothing but the keypoints changes.
It takes seconds and needs no TensorFlow.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from train.adapt.onnx_layer import predict_features, write_adapted
from train.adapt.regression import Correction, fit
from train.calibrate import model_files
from train.data.augmentation import Augmentation, augment_faces
from train.data.faces import Faces, hash_file, join, read_faces
from train.errors import DataError, RunError
from train.exit_status import report

_MIN_FACES = 20
_VIEWS = 1200  # about so many of all faces together; the regression's time grows with their cube
_MAX_VIEWS = 8  # of one face
_MIN_GAIN = 0.02  # of the mean distance on faces left out; less is chance
# The framing and the light of the same face vary a little; its noise and blur are the domain's own.
_CHANGES = Augmentation(
    turn_deg=6.0, scale=0.06, shift=0.03, contrast=0.1, brightness=6.0, blur=0.0, noise=0.0,
    repairs=0, erase=0.0,
)  # fmt: skip


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; a usage error exits with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m train.adapt",
        description="Correct the last layer of a keypoint network on some dozens of labelled "
        "faces, and say by cross-validation what that gains on faces left out.",
    )
    add = parser.add_argument
    add("model", metavar="MODEL",
        help="an .onnx file of a keypoint network, adapted together with the int8 file beside it; "
        "small, the embedded smaller one")  # fmt: skip
    add("--data", required=True, metavar="FILE",
        help="labelled faces from train.prepare (.npz), or Kaggle's training.csv")  # fmt: skip
    add("-o", "--output", required=True, metavar="DIR", help="folder for the adapted files")
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> str:
    """Adapt as the command line says; returns a report, a line per file."""
    faces = read_faces(args.data)
    if len(faces) < _MIN_FACES:
        raise DataError(f"{args.data}: {len(faces)} faces; at least {_MIN_FACES} are needed")
    views = _views(faces)
    sha256 = hash_file(args.data)
    folder = Path(args.output)
    return "\n".join(
        _adapt(path, folder / path.name, views, {"faces": len(faces), "sha256": sha256})
        for path in model_files(args.model)
    )


def _views(faces: Faces) -> Faces:
    """Each face as it is, and some changed copies of it: crops of 96×96 px."""
    rng = np.random.default_rng(0)
    count = max(1, min(_MAX_VIEWS, _VIEWS // len(faces)))
    return join([faces.crops(), *(augment_faces(faces, _CHANGES, rng) for _ in range(count - 1))])


def _adapt(source: Path, target: Path, views: Faces, adapted: dict[str, object]) -> str:
    """Write an adapted copy of a file; returns a line about it."""
    if target.resolve() == source.resolve():
        raise RunError(f"{target}: is the model itself; choose another folder")
    keypoints, features = predict_features(source, np.ascontiguousarray(views.images))
    _, groups = np.unique(views.groups, return_inverse=True)
    correction = fit(features, views.keypoints - keypoints, groups.astype(np.float64))
    if correction.after_px > (1 - _MIN_GAIN) * correction.before_px:
        raise RunError(
            f"{source}: these faces do not improve it (on faces left out: {_gain(correction)}); "
            "nothing was written"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    adapted = {**adapted, "before_px": correction.before_px, "after_px": correction.after_px}
    write_adapted(source, target, correction.weights, correction.bias, adapted)
    return f"{target}: adapted to {adapted['faces']} faces; on faces left out: {_gain(correction)}"


def _gain(correction: Correction) -> str:
    return (
        f"{correction.before_px:.2f} px before, {correction.constant_px:.2f} px moved by a "
        f"constant, {correction.after_px:.2f} px adapted"
    )


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report(lambda: run(args))


if __name__ == "__main__":
    sys.exit(main())
