"""From pictures to faces: detector, crop and keypoint network in one open object."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.crop import cut
from edge.detector import DETECTORS, find_boxes
from edge.errors import ImageError
from edge.face import Face
from edge.geometry import (
    Matrix,
    crop_matrix,
    invert,
    scale_of,
    shared_part,
    square_around,
    transform,
    whole_picture,
)
from edge.image import Grey, ImageSource, load_image, to_grey
from edge.model import Prediction, open_model

_PICTURES_AT_ONCE = 32  # whose crops share keypoint batches
_MAX_SHARED = 0.5  # of the smaller of two boxes: above it they frame one face
_MAX_THREADS = 256


class FaceKeypoints:
    """Finds faces and their keypoints; the models are opened once, here.

    Attributes:
        keypoint_names: names of the keypoints, in order, as the model file gives them.
        model: the open keypoint network, with its path and metadata.
    """

    def __init__(
        self,
        *,
        model: str | Path | None = None,
        detector: str = "cascade",
        precision: str = "auto",
        threads: int = 1,
        min_score: float = 0.5,
        max_faces: int | None = None,
        detect_size: int = 320,
    ) -> None:
        """Open the models.

        Args:
            model: a keypoint `.onnx` file; None for the embedded one.
            detector: "cascade" (OpenCV's frontal-face cascade, extra `video`), or "none" to take
                each whole picture as one face.
            precision: "fp32", "int8", or "auto" for whichever is faster on this computer.
            threads: threads that detection and one network run may use.
            min_score: faces below this score are dropped, 0–1; not used with detector "none".
            max_faces: keep at most this many faces of a picture, the largest; None keeps all.
            detect_size: length of the longer side at which faces are searched, px.

        Raises:
            ModelError: a model file is missing, corrupt or breaks the contract.
            ValueError: a setting is out of its range.
        """
        _check_settings(detector, threads, min_score, max_faces, detect_size)
        self.model = open_model(model, precision, threads)
        self.keypoint_names = self.model.keypoint_names
        self._detector, self._threads, self._min_score = detector, threads, min_score
        self._max_faces, self._detect_size = max_faces, detect_size

    def __call__(self, image: ImageSource) -> list[Face]:
        """Find the faces of one picture.

        Args:
            image: a path, the bytes of a file, a Pillow image, or a uint8 array: `(H, W, 3)` RGB or
                `(H, W)` grey.

        Returns:
            The faces, largest box first; coordinates in px of the picture with EXIF orientation
            applied.

        Raises:
            ImageError: the picture cannot be decoded or used.
            SourceError: the file cannot be opened.
            MissingExtra: the detector needs OpenCV, which is not installed.
        """
        return self.batch([image])[0]

    def batch(self, images: Iterable[ImageSource]) -> list[list[Face]]:
        """Find the faces of many pictures; crops of different pictures share network runs.

        Args:
            images: any mix of what a single call takes.

        Returns:
            One list per picture, in order, each as a single call would return it.

        Raises:
            ImageError, SourceError, MissingExtra: as a single call; nothing is returned then.
        """
        if isinstance(images, str | bytes):
            raise ImageError(
                "cannot use one path or file as a batch: expected several; pass a list"
            )
        sources, results = iter(images), []
        while chunk := list(islice(sources, _PICTURES_AT_ONCE)):
            found = [self._cut_faces(to_grey(load_image(image))) for image in chunk]
            crops = [crop for _, _, some in found for crop in some]
            points, error, score = self.model(_stack(crops, self.model.size))
            start = 0
            for boxes, matrices, some in found:
                part = slice(start, start + len(some))
                faces = _map_back(boxes, matrices, (points[part], error[part], score[part]))
                results.append(self._keep(faces))
                start += len(some)
        return results

    def crops(self, crops: NDArray[np.uint8]) -> Prediction:
        """Predict keypoints of faces that are cut out already, as Kaggle's pictures are.

        Args:
            crops: uint8 `(N, 96, 96)`, grey.

        Returns:
            keypoints float32 `(N, 15, 2)` and error float32 `(N, 15)`, px of the crop; face_score
            float32 `(N,)`, 0–1.

        Raises:
            ImageError: the shape or dtype is another.
        """
        size = self.model.size
        crops = np.asarray(crops)
        if crops.dtype != np.uint8 or crops.ndim != 3 or crops.shape[1:] != (size, size):
            raise ImageError(
                f"cannot use these crops: expected uint8 of shape (N, {size}, {size}), "
                f"received {crops.dtype} of shape {crops.shape}"
            )
        return self.model(crops)

    def _cut_faces(
        self, grey: Grey
    ) -> tuple[NDArray[np.float32], list[Matrix], list[NDArray[np.uint8]]]:
        if self._detector == "none":
            height, width = grey.shape
            boxes = np.array([[0, 0, width, height]], np.float32)
            squares = [whole_picture(height, width)]
        else:
            boxes = find_boxes(grey, self._detect_size, self._threads)
            squares = [square_around(box) for box in boxes]
        matrices = [crop_matrix(square, self.model.size) for square in squares]
        return boxes, matrices, [cut(grey, matrix, self.model.size) for matrix in matrices]

    def _keep(self, faces: list[Face]) -> list[Face]:
        if self._detector != "none":
            faces = [face for face in faces if face.score >= self._min_score]
        return _without_duplicates(faces)[: self._max_faces]


def _map_back(
    boxes: NDArray[np.float32], matrices: list[Matrix], prediction: Prediction
) -> list[Face]:
    # The cascade gives no probability, so a face's score is the network's own.
    return [
        Face(
            box=box,
            score=float(score),
            keypoints=transform(invert(matrix), points).astype(np.float32),
            error=(error / scale_of(matrix)).astype(np.float32),
        )
        for box, matrix, points, error, score in zip(boxes, matrices, *prediction, strict=True)
    ]


def _without_duplicates(faces: list[Face]) -> list[Face]:
    """Of faces that share more than half of the smaller box, the one with the highest score."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(shared_part(face.box, other.box) <= _MAX_SHARED for other in kept):
            kept.append(face)
    return [face for face in faces if any(face is other for other in kept)]


def _stack(crops: list[NDArray[np.uint8]], size: int) -> NDArray[np.uint8]:
    return np.stack(crops) if crops else np.empty((0, size, size), np.uint8)


def _check_settings(
    detector: str, threads: int, min_score: float, max_faces: int | None, detect_size: int
) -> None:
    if detector not in DETECTORS:
        raise ValueError(f"detector must be one of {', '.join(DETECTORS)}, received {detector!r}")
    if not 1 <= threads <= _MAX_THREADS:
        raise ValueError(f"threads must lie between 1 and {_MAX_THREADS}, received {threads}")
    if not 0 <= min_score <= 1:
        raise ValueError(f"min_score must lie between 0 and 1, received {min_score}")
    if max_faces is not None and max_faces < 1:
        raise ValueError(f"max_faces must be at least 1 or None, received {max_faces}")
    if detect_size < 32:
        raise ValueError(f"detect_size must be at least 32 px, received {detect_size}")
