"""From images to faces: detector, crop and keypoint network in one open object.

Legend: M boxes of one image, N crops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.crop import AnyGrey
from edge.errors import ImageError
from edge.face import Face
from edge.fusion import fused_box, fused_score, min_detector_score
from edge.geometry.affine import to_points
from edge.image import Grey, ImageSource, Order
from edge.networks.contract import Precision
from edge.networks.detections import Detections
from edge.networks.keypoint_model import Prediction
from edge.refinement import MIN_RERUN_SCORE, FacePass, refine
from edge.suppression import are_suppressed, first_candidates, may_be_others, without_duplicates

if TYPE_CHECKING:
    from edge.networks.settings import Settings

_CHUNK = 32  # images whose crops share keypoint batches


class FaceKeypoints:
    """Finds faces and their keypoints; the networks are opened once, here.

    One object may be used from several threads at once. Pickled for another process it takes its
    settings along, not its open networks: the same files are opened there again.

    Attributes:
        keypoint_names: names of the keypoints, in order, as the model file gives them.
        model: the open keypoint network, with its path and metadata.
        face_detector: the open detector.
        detector, min_score, max_faces, detect_size, any_roll, points68: as they were given.
    """

    def __init__(
        self,
        *,
        model: str | Path | None = None,
        detector: str | Path = "face",
        precision: Precision | None = "auto",
        threads: int = 1,
        min_score: float = 0.5,
        max_faces: int | None = None,
        detect_size: int = 320,
        points68: bool = False,
        any_roll: bool = True,
    ) -> None:
        """Open the networks.

        Args:
            model: a keypoint `.onnx` file; None for the embedded one, "small" for the embedded
                smaller one, which is faster and less accurate.
            detector: "face" (the embedded one), the path of another `.onnx` file, "haar" (OpenCV's
                frontal-face cascade, extra `video`), or "none" to take each whole image as one
                face.
            precision: of both networks: "fp32", "int8", or "auto" for the faster one on this
                computer, each by itself. A file without the other beside it is opened as it is with
                "auto", and so is a detector's with "int8". None opens exactly the named files.
            threads: threads that detection and one network run may use.
            min_score: faces below this score are dropped, 0–1; not used with detector "none". The
                score is a mean of the detector's and the keypoint network's `face_score`
                (`edge.fusion`); with "haar" and "none", which give none, the latter.
            max_faces: keep at most this many faces of an image, the largest; None keeps all.
            detect_size: length of the longer side at which faces are detected, px: larger finds
                smaller faces, and takes longer in proportion to its square.
            points68: predict the 68 points of 300-W and dlib too, `Face.points68`, with the same
                network run.
            any_roll: search an image without a sure face rotated by 90°, 180° and 270° too, for
                faces that lie or stand on their head; such images then take five times as long.

        Raises:
            ModelError: a model file is missing, corrupt or breaks the contract, or cannot predict
                the 68 points that were asked for.
            MissingExtra: the cascade needs OpenCV, which is not installed.
            ValueError: a setting is out of its range.
        """
        # Imported here, because only opening needs it: it imports the detectors and the cache.
        from edge.networks.precision import open_detector, open_keypoint_model
        from edge.networks.settings import check_settings

        check_settings(threads, min_score, max_faces, detect_size)
        self.model = open_keypoint_model(model, precision, threads)
        if points68:
            self.model.require_points68()
        self.points68 = points68
        self.keypoint_names = self.model.keypoint_names
        self.face_detector = open_detector(detector, precision, threads)
        self.detector, self._threads = detector, threads
        self.min_score, self.max_faces, self.detect_size = min_score, max_faces, detect_size
        self.any_roll = any_roll

    @property
    def settings(self) -> Settings:
        """The settings in force, with the files that were opened."""
        from edge.networks.settings import Settings

        path = self.face_detector.path
        return Settings(
            model=self.model.path.resolve(),
            detector=self.detector if path is None else path.resolve(),
            precision=None,
            threads=self._threads,
            min_score=self.min_score,
            max_faces=self.max_faces,
            detect_size=self.detect_size,
            points68=self.points68,
            any_roll=self.any_roll,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """What pickle stores: the settings."""
        return partial(FaceKeypoints, **self.settings.to_dict()), ()

    def __call__(self, image: ImageSource, order: Order = "rgb") -> list[Face]:
        """Find the faces of one image.

        Args:
            image: as for `edge.load_image`: a path, a file, a Pillow image, an array or a tensor.
            order: of the colours of an array; OpenCV's is "bgr".

        Returns:
            The faces, largest box first; coordinates in px of the image with EXIF orientation
            applied.

        Raises:
            ImageError: the image cannot be decoded or used.
            SourceError: the file cannot be opened.
        """
        return self.batch([image], order)[0]

    def batch(self, images: Iterable[ImageSource], order: Order = "rgb") -> list[list[Face]]:
        """Find the faces of many images; crops of different images share network runs.

        Args:
            images: any mix of what a single call takes.
            order: as for a single call.

        Returns:
            One list per image, in order, each as a single call would return it.

        Raises:
            ImageError, SourceError: as a single call; nothing is returned then.
        """
        if isinstance(images, str | bytes):
            raise ImageError(
                "cannot use one path or file as a batch: expected several; pass a list"
            )
        sources, results = iter(images), []
        while chunk := list(islice(sources, _CHUNK)):
            greys = [self.load(image, order) for image in chunk]
            results += self.predict_faces(greys, [self.detect_faces(grey) for grey in greys])
        return results

    def load(self, image: ImageSource, order: Order = "rgb") -> AnyGrey:
        """The grey of an image, for the methods below; raises as a call."""
        from edge.formats.reduced_jpeg import load_reduced_grey

        return load_reduced_grey(image, self.detect_size, self.face_detector.finds_faces, order)

    def detect_faces(self, grey: AnyGrey) -> Detections:
        """Detect faces in uint8 `(H, W)`, else ImageError; for `predict_faces`, largest first."""
        return self._detect(grey, self.face_detector, self.min_score).largest_first()

    def _detect(
        self, grey: AnyGrey, search: Callable[[Grey, int], Detections], min_score: float
    ) -> Detections:
        """What a search finds that may reach a score, but for certain duplicates."""
        if isinstance(grey, np.ndarray):
            from edge.formats.arrays import check_grey

            detections = search(check_grey(grey), self.detect_size)
        else:
            detections = grey.detect(search, self.detect_size)
        detections = detections.above(min_detector_score(min_score))
        return detections.take(~are_suppressed(detections))

    def predict_faces(
        self, greys: Sequence[AnyGrey], detections: list[Detections], points68: bool | None = None
    ) -> list[list[Face]]:
        """Predict the keypoints of detected faces; faces of all images share network runs.

        With `any_roll`, images without a sure face among them are searched rotated.

        Args:
            greys: uint8 `(H, W)` each.
            detections: of each image, as `detect_faces` returns them.
            points68: predict the 68 points too; None as the object was opened.

        Returns:
            One list per image, as `batch` returns it.

        Raises:
            ModelError: the model cannot predict the 68 points.
        """
        faces = self._predict_upright(greys, detections, points68)
        if not (self.any_roll and self.face_detector.needs_rotation):
            return faces
        from edge.networks.rotated import detect_rotated
        from edge.rotated_faces import MIN_SCORE, SURE_SCORE, confirmed

        unsure = [i for i, own in enumerate(faces) if all(f.score < SURE_SCORE for f in own)]
        if not unsure:
            return faces
        search = partial(detect_rotated, self.face_detector)
        images = [greys[i] for i in unsure]
        found = [self._detect(grey, search, MIN_SCORE) for grey in images]
        predicted = self._predict(images, found, points68)
        for i, grey, own, others in zip(unsure, images, found, predicted, strict=True):
            faces[i] += confirmed(self.face_detector, grey, others, own, faces[i], self.min_score)
            faces[i] = self._select(faces[i])
        return faces

    def _predict_upright(
        self, greys: Sequence[AnyGrey], detections: list[Detections], points68: bool | None
    ) -> list[list[Face]]:
        limit = self.max_faces
        if limit is None:
            return [self._select(faces) for faces in self._predict(greys, detections, points68)]
        first = [first_candidates(found.boxes, limit) for found in detections]
        candidates = [found.take(mask) for found, mask in zip(detections, first, strict=True)]
        faces = self._predict(greys, candidates, points68)
        selected = [self._select(image_faces) for image_faces in faces]
        short = [i for i, mask in enumerate(first) if len(selected[i]) < limit and not mask.all()]
        if short:
            others = [detections[i].take(~first[i]) for i in short]
            more = self._predict([greys[i] for i in short], others, points68)
            for i, image_faces in zip(short, more, strict=True):
                selected[i] = self._select(faces[i] + image_faces)
        return selected

    def detect_others(self, grey: Grey, known: NDArray[np.floating]) -> list[Face]:
        """Find the faces of one grey image that are not among those already known.

        Args:
            grey: uint8 `(H, W)`.
            known: boxes `(M, 4)` px; what can only be a duplicate of these is not run.

        Returns:
            The faces, largest box first, as a call returns them; `max_faces` counts these alone.

        Raises:
            ImageError, ValueError: an array has another shape or dtype.
        """
        from edge.geometry.box_checks import check_box_shape

        check_box_shape(known)
        detections = self.detect_faces(grey)
        others = detections.take(may_be_others(detections, known))
        return self._predict_upright([grey], [others], None)[0]

    def faces_at(self, image: ImageSource, boxes: ArrayLike, order: Order = "rgb") -> list[Face]:
        """Predict the keypoints of faces whose boxes are known, from another detector or by hand.

        Args:
            image: as for a call.
            order: as for a call.
            boxes: `(M, 4)`: x, y, width, height in px of the image; x and y are the centre of the
                top-left pixel. A box reaches from the middle of the forehead to the chin and from
                cheek to cheek (`edge.geometry.box_conventions` converts those of YuNet and others).

        Returns:
            One face per box, in order, whatever its score.

        Raises:
            ImageError, SourceError: as a call.
            ValueError: the boxes have another shape, or one is as `check_boxes` refuses it.
        """
        from edge.geometry.box_checks import check_boxes

        detections = Detections(check_boxes(boxes))
        return self._predict([self.load(image, order)], [detections], min_score=0.0)[0]

    def crops(self, crops: NDArray[np.uint8], points68: bool | None = None) -> Prediction:
        """Predict keypoints of faces that are cut out already, as Kaggle's images are.

        Of a crop that shows several faces, those of the largest that the detector finds.

        Args:
            crops: uint8 `(N, 96, 96)`, grey.
            points68: as for `predict_faces`.

        Returns:
            keypoints float32 `(N, 15, 2)` and error float32 `(N, 15)`, px of the crop; face_score
            float32 `(N,)`, 0–1; with the attributes points68 and error90 of `Prediction`.

        Raises:
            ImageError: the shape or dtype is another.
            ModelError: as for `predict_faces`.
        """
        from edge.cropped_faces import predict_crops

        points68 = self.points68 if points68 is None else points68
        return predict_crops(self.model, crops, points68, self.face_detector)

    def _predict(
        self,
        greys: Sequence[AnyGrey],
        detections: list[Detections],
        points68: bool | None = None,
        min_score: float = MIN_RERUN_SCORE,
    ) -> list[list[Face]]:
        points68 = self.points68 if points68 is None else points68
        size = self.model.size
        matrices = [found.crop_matrices(size) for found in detections]
        images = [grey for grey, own in zip(greys, matrices, strict=True) for _ in own]
        flat = [matrix for own in matrices for matrix in own]
        faces = refine(self.model, images, flat, min_score=min_score, points68=points68)
        passes = iter(faces)
        return [
            [
                _fuse(box, score, face)
                for box, score, face in zip(
                    found.boxes, found.score_list(), islice(passes, len(found.boxes)), strict=True
                )
            ]
            for found in detections
        ]

    def _select(self, faces: list[Face]) -> list[Face]:
        if self.face_detector.finds_faces:
            faces = [face for face in faces if face.score >= self.min_score]
        return without_duplicates(faces)[: self.max_faces]


def _fuse(box: NDArray[np.float32], score: float | None, face: FacePass) -> Face:
    if score is not None and face.pose is not None:  # else the keypoints give no box
        box = fused_box(box, np.array(face.box, np.float32))
    score = fused_score(score, face.score)
    points68 = None if face.points68 is None else to_points(face.points68)
    return Face(box, score, face.keypoints, face.error, points68=points68, error90=face.error90)
