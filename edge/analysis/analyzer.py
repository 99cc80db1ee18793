"""The analyzer: from an image and its faces to the state of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edge.analysis.eyes import AnyImage, EyeState, measure_eyes
from edge.analysis.head import measure_head
from edge.analysis.mouth import lip_opening
from edge.analysis.state import FaceState
from edge.face import Face
from edge.formats.focal import Focal, read_focal
from edge.geometry.camera import Camera
from edge.image import ImageSource, is_array
from edge.networks.eye_model import EyeModel
from edge.video.luma import Luma, view_frame


class Analyzer:
    """Measures eyes, mouth and head of faces; the eye network is opened once, here.

    One object may be used from several threads at once. Pickled for another process it takes its
    settings along, and opens the network there again.

    Attributes:
        path: the file of the eye network.
    """

    def __init__(self, *, focal_px: float | None = None, threads: int = 1) -> None:
        """Open the eye network.

        Args:
            focal_px: the camera's focal length, px; None takes what the EXIF of a photo says, and
                else assumes 1.5 of the image's longer side. What either may be wrong by counts in
                the error of the distance.
            threads: threads that one network run may use.

        Raises:
            ModelError: the eye network is missing or damaged.
            ValueError: `focal_px` is not above 0.
        """
        if focal_px is not None and not focal_px > 0:
            raise ValueError(f"focal_px must be above 0, received {focal_px}")
        self._focal_px, self._threads = focal_px, threads
        self._eyes = EyeModel(threads=threads)
        self.path = self._eyes.path

    def __reduce__(self) -> tuple[Any, ...]:
        """What pickle stores: the settings."""
        return _reopen, (self._focal_px, self._threads)

    def __call__(self, image: ImageSource, faces: Sequence[Face]) -> list[FaceState]:
        """Measure the faces of an image.

        Args:
            image: as `edge.FaceKeypoints` takes it, not cut out of another.
            faces: found in it; the mouth needs their `points68`.

        Returns:
            The state of each face, in order.

        Raises:
            ImageError, SourceError: as `edge.FaceKeypoints`.
        """
        pixels = view_frame(image)
        grey = pixels if pixels.ndim == 2 else Luma(pixels)
        focal = None if self._focal_px is not None or is_array(image) else read_focal(image)
        return self.measure(grey, faces, focal)

    def measure(
        self, grey: AnyImage, faces: Sequence[Face], focal: Focal | None = None
    ) -> list[FaceState]:
        """As a call, of a grey image as `edge.analysis.eyes.measure_eyes` takes it.

        Args:
            grey: the image.
            faces: found in it.
            focal: that its EXIF gives.
        """
        if not faces:
            return []
        camera, source = self._camera(grey, focal)
        eyes = measure_eyes(self._eyes, grey, faces)
        return [_state(face, pair, camera, source) for face, pair in zip(faces, eyes, strict=True)]

    def _camera(self, grey: AnyImage, focal: Focal | None) -> tuple[Camera, str]:
        """The camera, and where its focal length is from."""
        height, width = grey.shape[:2]
        if self._focal_px is not None:
            return Camera.of_image(width, height, self._focal_px), "given"
        if focal is not None:
            return Camera.of_image(width, height, focal.px, focal.deviation_px), "EXIF"
        return Camera.of_image(width, height), "assumed"


def _reopen(focal_px: float | None, threads: int) -> Analyzer:
    return Analyzer(focal_px=focal_px, threads=threads)


def _state(
    face: Face, eyes: tuple[EyeState, EyeState] | None, camera: Camera, focal_source: str
) -> FaceState:
    measured: dict[str, Any] = {"lip_opening": lip_opening(face)}
    if eyes is not None:
        right, left = eyes
        measured["eye_opening_right"], measured["eye_opening_left"] = right.opening, left.opening
        measured["closed_right"], measured["closed_left"] = right.closed, left.closed
    head = measure_head(face, camera)
    if head is not None:
        measured["distance_cm"], measured["facing"] = head.distance_cm, head.facing
        measured["yaw_deg"], measured["pitch_deg"] = head.yaw_deg, head.pitch_deg
        measured["focal_px"], measured["focal_source"] = head.focal_px, focal_source
    return FaceState(**measured)
