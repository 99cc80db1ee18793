"""From pictures to faces: detector, crop and keypoint network in one open object."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.detector import DETECTORS, find_boxes
from edge.errors import ImageError
from edge.face import Face
from edge.geometry import crop_matrix, shared_part, square_around, whole_picture
from edge.image import Grey, ImageSource, load_image, to_grey
from edge.looks import look, look_at_crops
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
            greys = [to_grey(load_image(image)) for image in chunk]
            boxes = [self._find(grey) for grey in greys]
            squares = [self._squares(*pair) for pair in zip(greys, boxes, strict=True)]
            results += [self._keep(faces) for faces in self._look(greys, boxes, squares)]
        return results

    def faces_at(self, image: ImageSource, boxes: ArrayLike) -> list[Face]:
        """Predict the keypoints of faces whose boxes are known, from another detector or by hand.

        Args:
            image: as for a call.
            boxes: `(M, 4)`: x, y, width, height in px of the picture; x and y are the centre of the
                top-left pixel. A box reaches from above the brows to the chin.

        Returns:
            One face per box, in order, whatever its score.

        Raises:
            ImageError, SourceError: as a call.
            ValueError: the boxes have another shape, or one has no area.
        """
        boxes = np.asarray(boxes, dtype=np.float32).reshape(-1, 4)
        if not (np.isfinite(boxes).all() and (boxes[:, 2:] > 0).all()):
            raise ValueError("a box must be four numbers: x, y, and a width and height above 0")
        squares = [square_around(box) for box in boxes]
        return self._look([to_grey(load_image(image))], [boxes], [squares])[0]

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
        return look_at_crops(self.model, crops)

    def _find(self, grey: Grey) -> NDArray[np.float32]:
        if self._detector == "none":
            return np.array([[0, 0, grey.shape[1], grey.shape[0]]], np.float32)
        return find_boxes(grey, self._detect_size, self._threads)

    def _squares(self, grey: Grey, boxes: NDArray[np.float32]) -> list[NDArray[np.float64]]:
        if self._detector == "none":
            return [whole_picture(*grey.shape)]
        return [square_around(box) for box in boxes]

    def _look(
        self,
        greys: list[Grey],
        boxes: list[NDArray[np.float32]],
        squares: list[list[NDArray[np.float64]]],
    ) -> list[list[Face]]:
        pictures = [grey for grey, some in zip(greys, squares, strict=True) for _ in some]
        matrices = [crop_matrix(square, self.model.size) for some in squares for square in some]
        seen = iter(look(self.model, pictures, matrices))
        # The cascade gives no probability, so a face's score is the network's own.
        return [
            [
                Face(box, face.score, face.keypoints, face.error)
                for box, face in zip(some, islice(seen, len(some)), strict=True)
            ]
            for some in boxes
        ]

    def _keep(self, faces: list[Face]) -> list[Face]:
        if self._detector != "none":
            faces = [face for face in faces if face.score >= self._min_score]
        return _without_duplicates(faces)[: self._max_faces]


def _without_duplicates(faces: list[Face]) -> list[Face]:
    """Of faces that share more than half of the smaller box, the one with the highest score."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(shared_part(face.box, other.box) <= _MAX_SHARED for other in kept):
            kept.append(face)
    return [face for face in faces if any(face is other for other in kept)]


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
