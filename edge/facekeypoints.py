"""From pictures to faces: detector, crop and keypoint network in one open object."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.errors import ImageError
from edge.face import Face
from edge.fusion import joint_box, joint_score, least_of_detector
from edge.geometry.affine import crop_matrix
from edge.geometry.boxes import shared_part, shared_parts, whole_picture
from edge.geometry.face_frame import square_around
from edge.image import Grey, ImageSource, load_grey
from edge.networks.detections import Found
from edge.networks.face_detector import EMBEDDED, FaceDetector, open_detector
from edge.networks.haar import find_boxes, open_cascade
from edge.networks.keypoint_model import Prediction, open_model
from edge.networks.precision import int8_file
from edge.refinement import MIN_SCORE, look, look_at_crops

_PICTURES_AT_ONCE = 32  # whose crops share keypoint batches
MAX_SHARED = 0.5  # of the smaller of two boxes: above it they frame one face
UNSURE = 0.5  # of another box's score: below it, a box that frames the same face is not looked at
_MAX_THREADS = 256


class FaceKeypoints:
    """Finds faces and their keypoints; the models are opened once, here.

    One object may be used from several threads at once. Pickled for another process it takes its
    settings along, not its open models: those are opened there again, in the same precision.

    Attributes:
        keypoint_names: names of the keypoints, in order, as the model file gives them.
        model: the open keypoint network, with its path and metadata.
        finder: the open face detector, likewise; None where there is none of ours.
        min_score: faces below it are dropped, 0–1.
        max_faces: how many faces of a picture are kept, at most; None keeps all.
        detector: what finds faces, as it was given.
        detect_size: the longer side at which faces are searched, px.
    """

    def __init__(
        self,
        *,
        model: str | Path | None = None,
        detector: str | Path = "face",
        precision: str = "auto",
        threads: int = 1,
        min_score: float = 0.5,
        max_faces: int | None = None,
        detect_size: int = 320,
    ) -> None:
        """Open the models.

        Args:
            model: a keypoint `.onnx` file; None for the embedded one.
            detector: "face" (the embedded one), the path of another's `.onnx` file, "haar"
                (OpenCV's frontal-face cascade, extra `video`), or "none" to take each whole picture
                as one face.
            precision: of both networks: "fp32", "int8", or "auto" for whichever is faster on this
                computer, each by itself. A file without the other beside it is taken as it is with
                "auto", and so is a detector's with "int8".
            threads: threads that detection and one network run may use.
            min_score: faces below this score are dropped, 0–1; not used with detector "none". The
                score is a mean of the detector's and the keypoint network's `face_score`
                (`edge.fusion`); with "haar" and "none", which give none, the latter.
            max_faces: keep at most this many faces of a picture, the largest; None keeps all.
            detect_size: length of the longer side at which faces are searched, px: larger finds
                smaller faces, and takes longer in proportion to its square.

        Raises:
            ModelError: a model file is missing, corrupt or breaks the contract.
            MissingExtra: the cascade needs OpenCV, which is not installed.
            ValueError: a setting is out of its range.
        """
        _check_settings(threads, min_score, max_faces, detect_size)
        self.model = open_model(model, precision, threads)
        self.keypoint_names = self.model.keypoint_names
        self.detector, self.detect_size, self._threads = detector, detect_size, threads
        self.finder = _open_detector(detector, precision, threads)
        self.min_score, self.max_faces = min_score, max_faces

    def __reduce__(self) -> tuple[Any, ...]:
        """What pickle keeps: the settings."""
        settings = {
            "model": self.model.path.resolve(),
            "precision": "fp32",  # of a file that is int8 by name, int8
            "detector": self.finder.path.resolve() if self.finder else self.detector,
            "threads": self._threads,
            "min_score": self.min_score,
            "max_faces": self.max_faces,
            "detect_size": self.detect_size,
        }
        return _open_again, (settings,)

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
        """
        return self.batch([image])[0]

    def batch(self, images: Iterable[ImageSource]) -> list[list[Face]]:
        """Find the faces of many pictures; crops of different pictures share network runs.

        Args:
            images: any mix of what a single call takes.

        Returns:
            One list per picture, in order, each as a single call would return it.

        Raises:
            ImageError, SourceError: as a single call; nothing is returned then.
        """
        if isinstance(images, str | bytes):
            raise ImageError(
                "cannot use one path or file as a batch: expected several; pass a list"
            )
        sources, results = iter(images), []
        while chunk := list(islice(sources, _PICTURES_AT_ONCE)):
            greys = [load_grey(image) for image in chunk]
            results += self.look(greys, [self.search(grey) for grey in greys])
        return results

    def search(self, grey: Grey) -> Found:
        """Find where faces are in one grey picture, uint8 `(H, W)`; `look` then finds keypoints."""
        if self.detector == "none":
            height, width = grey.shape
            whole = np.array([[0, 0, width, height]], np.float32)
            return Found(whole, [whole_picture(height, width)])
        boxes, scores = self._find(grey)
        if scores is not None:
            likely = scores >= least_of_detector(self.min_score)
            boxes, scores = boxes[likely], scores[likely]
            alone = ~_are_hidden(boxes, scores)
            boxes, scores = boxes[alone], scores[alone]
        order = np.argsort(-boxes[:, 2] * boxes[:, 3], kind="stable")
        squares = [square_around(box) for box in boxes[order]]
        return Found(boxes[order], squares, None if scores is None else scores[order])

    def look(self, greys: list[Grey], found: list[Found]) -> list[list[Face]]:
        """Find the keypoints of what `search` found; faces of all pictures share network runs.

        Args:
            greys: uint8 `(H, W)` each.
            found: for each picture what `search` found in it.

        Returns:
            One list per picture, as `batch` returns it.
        """
        most = self.max_faces
        if most is None:
            return [self._keep(faces) for faces in self._look(greys, found)]
        first = [_are_first(some.boxes, most) for some in found]
        faces = self._look(
            greys, [some.take(rows) for some, rows in zip(found, first, strict=True)]
        )
        kept = [self._keep(some) for some in faces]
        short = [i for i, rows in enumerate(first) if len(kept[i]) < most and not rows.all()]
        if short:
            rest = self._look([greys[i] for i in short], [found[i].take(~first[i]) for i in short])
            for i, some in zip(short, rest, strict=True):
                kept[i] = self._keep(faces[i] + some)
        return kept

    def find_others(self, grey: Grey, known: NDArray[np.floating]) -> list[Face]:
        """Find the faces of one grey picture that are not among those already known.

        Args:
            grey: uint8 `(H, W)`.
            known: boxes `(M, 4)` px; a face that shares more than half of one is not looked at.

        Returns:
            The faces, largest box first, as a call returns them; `max_faces` counts these alone.
        """
        found = self.search(grey)
        new = (shared_parts(found.boxes, known) <= MAX_SHARED).all(axis=1)
        return self.look([grey], [found.take(np.asarray(new))])[0]

    def faces_at(self, image: ImageSource, boxes: ArrayLike) -> list[Face]:
        """Predict the keypoints of faces whose boxes are known, from another detector or by hand.

        Args:
            image: as for a call.
            boxes: `(M, 4)`: x, y, width, height in px of the picture; x and y are the centre of the
                top-left pixel. A box reaches from the middle of the forehead to the chin and from
                cheek to cheek (`edge.geometry.face_frame.from_wider` redraws those of YuNet
                and the like).

        Returns:
            One face per box, in order, whatever its score.

        Raises:
            ImageError, SourceError: as a call.
            ValueError: the boxes have another shape, or one has no area.
        """
        boxes = np.asarray(boxes, dtype=np.float32).reshape(-1, 4)
        if not (np.isfinite(boxes).all() and (boxes[:, 2:] > 0).all()):
            raise ValueError("a box must be four numbers: x, y, and a width and height above 0")
        found = Found(boxes, [square_around(box) for box in boxes])
        return self._look([load_grey(image)], [found], least=0.0)[0]

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

    def _find(self, grey: Grey) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        if self.finder is None:
            return find_boxes(grey, self.detect_size, self._threads), None
        return self.finder(grey, self.detect_size)

    def _look(
        self, greys: list[Grey], found: list[Found], least: float = MIN_SCORE
    ) -> list[list[Face]]:
        pictures = [grey for grey, some in zip(greys, found, strict=True) for _ in some.squares]
        size = self.model.size
        matrices = [crop_matrix(square, size) for some in found for square in some.squares]
        seen = iter(look(self.model, pictures, matrices, least=least))
        return [
            [
                Face(
                    # Points that span no face leave the detector's box.
                    box if score is None or face.lying is None else joint_box(box, face.box),
                    joint_score(score, face.score),
                    face.keypoints,
                    face.error,
                )
                for box, score, face in zip(
                    some.boxes, some.each_score(), islice(seen, len(some.boxes)), strict=True
                )
            ]
            for some in found
        ]

    def _keep(self, faces: list[Face]) -> list[Face]:
        if self.detector != "none":
            faces = [face for face in faces if face.score >= self.min_score]
        return _without_duplicates(faces)[: self.max_faces]


def _without_duplicates(faces: list[Face]) -> list[Face]:
    """Of faces that share more than half of the smaller box, the one with the highest score.

    The largest comes first.
    """
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(shared_part(face.box, other.box) <= MAX_SHARED for other in kept):
            kept.append(face)
    return sorted(kept, key=lambda face: -float(face.box[2] * face.box[3]))


def _are_first(boxes: NDArray[np.float32], most: int) -> NDArray[np.bool_]:
    """Which of boxes `(M, 4)`, the largest first, are looked at before the others, `(M,)`.

    Of so many faces as are asked for, all boxes; the others are seldom needed.
    """
    return np.asarray((shared_parts(boxes, boxes[:most]) > MAX_SHARED).any(axis=1))


def _are_hidden(boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which of a detector's boxes `(M, 4)` frame a part of a face that is found far more surely.

    One of the two would go after the keypoint network had looked at both; it need not.
    """
    if len(boxes) < 2:
        return np.zeros(len(boxes), bool)
    shared = shared_parts(boxes, boxes) > MAX_SHARED
    return np.asarray((shared & (scores[:, None] < UNSURE * scores)).any(axis=1))


def _open_again(settings: dict[str, Any]) -> FaceKeypoints:
    return FaceKeypoints(**settings)


def _open_detector(detector: str | Path, precision: str, threads: int) -> FaceDetector | None:
    """The open network; None where faces are found otherwise."""
    if detector == "none":
        return None
    if detector == "haar":
        open_cascade()  # what is missing is said at once
        return None
    path = EMBEDDED if detector == "face" else Path(detector)
    if path.suffix != ".onnx":
        raise ValueError(
            f"detector must be face, haar, none or the path of an .onnx file, received {detector!r}"
        )
    if precision == "int8" and not int8_file(path).is_file():
        precision = "fp32"
    return open_detector(path, precision, threads)


def _check_settings(
    threads: int, min_score: float, max_faces: int | None, detect_size: int
) -> None:
    if not 1 <= threads <= _MAX_THREADS:
        raise ValueError(f"threads must lie between 1 and {_MAX_THREADS}, received {threads}")
    if not 0 <= min_score <= 1:
        raise ValueError(f"min_score must lie between 0 and 1, received {min_score}")
    if max_faces is not None and max_faces < 1:
        raise ValueError(f"max_faces must be at least 1 or None, received {max_faces}")
    if detect_size < 32:
        raise ValueError(f"detect_size must be at least 32 px, received {detect_size}")
