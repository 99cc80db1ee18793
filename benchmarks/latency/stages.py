"""What one photo's time goes into: each step from the file to the annotated picture.

The steps are those of `edge.FaceKeypoints`, called one by one; end to end, decoding and drawing are
left out, as peers do not have them in common.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.timing import Amount, Call, time_in_turn
from edge.crop import cut
from edge.drawing import draw
from edge.facekeypoints import FaceKeypoints
from edge.geometry.affine import Matrix, crop_matrix, invert, transform
from edge.geometry.face_frame import square_of_box
from edge.image import Grey, Rgb, load_image, to_grey
from edge.networks.face_detector import EMBEDDED, FaceDetector

_DETECT_SIZE = 320  # px


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A photo at every stage; crops uint8 `(F, S, S)`, keypoints `(F, 15, 2)` px of the crop."""

    path: Path
    image: Rgb
    grey: Grey
    matrices: list[Matrix]
    crops: NDArray[np.uint8]
    keypoints: NDArray[np.float32]


def time_stages(
    paths: list[Path], detect: FaceKeypoints, amount: Amount
) -> dict[str, NDArray[np.float64]]:
    """Milliseconds of every call of each stage, photo after photo, `(R,)`.

    Args:
        paths: photos with faces.
        detect: the open models; its precision is that of the keypoints' stage.
        amount: for each stage.
    """
    face_detector = FaceDetector(EMBEDDED)
    prepared = [_prepare(path, face_detector, detect) for path in paths]
    model = detect.model
    faces = {p.path: detect(p.image) for p in prepared}
    stages: dict[str, Callable[[_Prepared], object]] = {
        "decode": lambda p: load_image(p.path),
        "grey": lambda p: to_grey(p.image),
        "detect": lambda p: face_detector(p.grey, _DETECT_SIZE),
        "crop": lambda p: [cut(p.grey, matrix, model.size) for matrix in p.matrices],
        "keypoints": lambda p: model(p.crops),
        "map back": lambda p: [
            transform(invert(m), k) for m, k in zip(p.matrices, p.keypoints, strict=True)
        ],
        "draw": lambda p: draw(p.image, faces[p.path]),
        "end to end": lambda p: detect(p.image),
    }
    return time_in_turn({name: _each(prepared, use) for name, use in stages.items()}, amount)


def _prepare(path: Path, face_detector: FaceDetector, detect: FaceKeypoints) -> _Prepared:
    image = load_image(path)
    grey = to_grey(image)
    boxes = face_detector(grey, _DETECT_SIZE).above(0.5).boxes
    size = detect.model.size
    matrices = [crop_matrix(square_of_box(box), size) for box in boxes]
    crops = np.array([cut(grey, m, size) for m in matrices], np.uint8).reshape(-1, size, size)
    return _Prepared(path, image, grey, matrices, crops, detect.model(crops)[0])


def _each(photos: list[_Prepared], use: Callable[[_Prepared], object]) -> Call:
    """A call that goes on to the next photo each time."""
    count = 0

    def call() -> object:
        nonlocal count
        count += 1
        return use(photos[count % len(photos)])

    return call
