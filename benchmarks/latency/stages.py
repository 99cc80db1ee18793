"""Latency of each stage of a photo, from the file to the annotated image.

The stages are those of `edge.FaceKeypoints`, called one by one. The end-to-end time excludes
decoding and drawing, which peers do not all have.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.timing import Call, RunLength, time_interleaved
from edge.crop import cut_face
from edge.drawing import draw
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.geometry.affine import Matrix, invert, transform
from edge.image import Grey, Rgb, load_image, to_grey
from edge.networks.face_detector import EMBEDDED, FaceDetector

_DETECT_SIZE = 320  # px of the longer side
_MIN_SCORE = 0.5


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A photo at every stage.

    Attributes:
        path: the file.
        image: uint8 `(H, W, 3)` RGB.
        grey: uint8 `(H, W)`.
        matrices: for each face the matrix from the image to its crop.
        crops: uint8 `(F, S, S)`.
        keypoints: float32 `(F, 15, 2)` px of the crop.
        faces: the results.
    """

    path: Path
    image: Rgb
    grey: Grey
    matrices: list[Matrix]
    crops: NDArray[np.uint8]
    keypoints: NDArray[np.float32]
    faces: list[Face]


def time_stages(
    paths: list[Path], detect: FaceKeypoints, length: RunLength
) -> dict[str, NDArray[np.float64]]:
    """Times of each stage `(R,)`, ms; successive calls take successive photos.

    Args:
        paths: photos with faces.
        detect: the open models, which run the stages keypoints and end to end.
        length: of each stage's measurement.
    """
    face_detector = FaceDetector(EMBEDDED)
    prepared = [_prepare(path, face_detector, detect) for path in paths]
    model = detect.model
    stages: dict[str, Callable[[_Prepared], object]] = {
        "decode": lambda p: load_image(p.path),
        "grey": lambda p: to_grey(p.image),
        "detect": lambda p: face_detector(p.grey, _DETECT_SIZE),
        "crop": lambda p: [cut_face(p.grey, matrix, model.size) for matrix in p.matrices],
        "keypoints": lambda p: model(p.crops),
        "map back": lambda p: [
            transform(invert(m), k) for m, k in zip(p.matrices, p.keypoints, strict=True)
        ],
        "draw": lambda p: draw(p.image, p.faces),
        "end to end": lambda p: detect(p.image),
    }
    calls = {name: _cycle(prepared, stage) for name, stage in stages.items()}
    return time_interleaved(calls, length)


def _prepare(path: Path, face_detector: FaceDetector, detect: FaceKeypoints) -> _Prepared:
    image = load_image(path)
    grey = to_grey(image)
    detections = face_detector(grey, _DETECT_SIZE).above(_MIN_SCORE)
    size = detect.model.size
    matrices = detections.crop_matrices(size)
    crops = np.array([cut_face(grey, m, size) for m in matrices], np.uint8).reshape(-1, size, size)
    return _Prepared(
        path=path,
        image=image,
        grey=grey,
        matrices=matrices,
        crops=crops,
        keypoints=detect.model(crops).keypoints,
        faces=detect(image),
    )


def _cycle(photos: list[_Prepared], stage: Callable[[_Prepared], object]) -> Call:
    """A call that runs a stage on the next photo each time."""
    remaining = itertools.cycle(photos)
    return lambda: stage(next(remaining))
