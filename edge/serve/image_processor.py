"""What the server computes of one upload, from the file's bytes to the record; in any process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from edge.analysis.assessment import Assessment
from edge.crop import Levels
from edge.drawing import draw
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.formats.focal import read_focal
from edge.formats.image_writer import to_jpeg
from edge.image import Grey, Rgb, to_grey
from edge.records import crop_records, to_record
from edge.serve.assessing import FaceAssessor, Wanted
from edge.serve.limits import Limits
from edge.serve.multipart import Upload
from edge.serve.uploads import decode_crops, decode_grey, decode_rgb

# Stages in the Server-Timing header. Clients read these names, so that they stay as published.
_DECODE = "decode"
_DETECT = "search"
_PREDICT = "look"
_MEASURE = "measure"


@dataclass(frozen=True, slots=True)
class ImageResult:
    """The result for one image.

    Attributes:
        record: the JSON object of `edge.records`.
        annotated_jpeg: the image with its faces drawn, a JPEG file; None if not requested.
        timings_ms: duration of each stage by its name in Server-Timing.
    """

    record: dict[str, Any]
    annotated_jpeg: bytes | None
    timings_ms: dict[str, float]


class ImageProcessor:
    """Computes what requests ask for with networks that are open."""

    def __init__(self, detect: FaceKeypoints) -> None:
        """Find faces with `detect`; it, and this object, may be used from several threads."""
        self._detect = detect
        self._assess = FaceAssessor()

    def find_faces(self, upload: Upload, wanted: Wanted) -> ImageResult:
        """Find the faces of an image file and measure what is wanted of them.

        Args:
            upload: the file.
            wanted: what is computed beside the keypoints; the model must have the 68 points where
                they are asked for, and where they are only needed, measures go without.

        Raises:
            HTTPException: 422 if it cannot be decoded.
        """
        timings_ms: dict[str, float] = {}
        with _timed(timings_ms, _DECODE):
            rgb = decode_rgb(upload) if wanted.annotated else None
            grey = decode_grey(upload, self._detect) if rgb is None else to_grey(rgb)
        with _timed(timings_ms, _DETECT):
            detections = self._detect.detect_faces(grey)
        with _timed(timings_ms, _PREDICT):
            points68 = wanted.needs_points68 and self._detect.model.has_points68
            (faces,) = self._detect.predict_faces([grey], [detections], points68)
        assessments = self._measure(upload, grey, faces, wanted, timings_ms)
        if not wanted.points68:
            faces = [replace(face, points68=None) for face in faces]
        height, width = grey.shape
        names = self._detect.keypoint_names
        record = to_record(upload.name, width, height, faces, names)
        for entry, assessment in zip(record["faces"], assessments, strict=True):
            entry.update(assessment.to_dict())
        jpeg = None if rgb is None else self._draw(rgb, faces, assessments)
        return ImageResult(record, jpeg, timings_ms)

    def predict_crops(
        self, uploads: list[Upload], points68: bool, limits: Limits
    ) -> list[dict[str, Any]]:
        """The records of face crops.

        Args:
            uploads: at least one file of crops.
            points68: with the 68 points, which the model must have.
            limits: on their number and size.

        Raises:
            HTTPException: as `decode_crops`.
        """
        size = self._detect.model.size
        prediction = self._detect.crops(decode_crops(uploads, size, limits), points68)
        return crop_records(uploads[0].name, size, prediction, self._detect.keypoint_names)

    def _measure(
        self,
        upload: Upload,
        grey: Grey | Levels,
        faces: list[Face],
        wanted: Wanted,
        timings_ms: dict[str, float],
    ) -> list[Assessment]:
        if not wanted.is_assessed:
            return self._assess(grey, faces, wanted)
        with _timed(timings_ms, _MEASURE):
            focal = read_focal(upload.data) if wanted.analyze else None
            return self._assess(grey, faces, wanted, focal)

    def _draw(self, rgb: Rgb, faces: list[Face], assessments: list[Assessment]) -> bytes:
        drawn = draw(
            rgb,
            faces,
            names=self._detect.keypoint_names,
            show_error=True,
            show_points68=True,
            visible=[assessment.visible for assessment in assessments],
        )
        return to_jpeg(drawn)


@contextmanager
def _timed(timings_ms: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    timings_ms[stage] = (time.perf_counter() - start) * 1e3
