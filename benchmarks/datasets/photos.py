"""Whole photos with hand-annotated faces: read, rotated, shrunk, and detected by this package.

Legend: F faces, K keypoints (15).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.crop import cut
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.geometry.affine import Matrix, transform
from edge.geometry.face_frame import box_of_square
from edge.geometry.keypoint_frame import face_square
from edge.geometry.similarity import similarity
from edge.image import Grey, Rgb, load_image, to_grey
from edge.keypoints import KEYPOINT_NAMES


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo with one annotated face.

    Attributes:
        grey: uint8 `(H, W)`.
        keypoints: float32 `(15, 2)` px, NaN where missing.
    """

    grey: Grey
    keypoints: NDArray[np.float32]

    @property
    def square(self) -> NDArray[np.float64]:
        """The square that frames the annotated face, float64 `(4,)`: x, y, side, side, px.

        Raises:
            ValueError: fewer than three keypoints are labelled.
        """
        square = face_square(self.keypoints)
        if square is None:
            raise ValueError("an annotated face needs at least three keypoints")
        return square


def read_photos(folder: Path) -> list[Photo]:
    """Read a folder of photos with `annotations.jsonl`.

    Each line is an object with `image`, a file of the folder, and `keypoints`, which maps names to
    `[x, y]` px or null.

    Raises:
        EdgeError: a photo cannot be read.
        OSError: the annotations cannot be opened.
        KeyError, ValueError: a line is not such an object.
    """
    photos = []
    for line in (folder / "annotations.jsonl").read_text(encoding="utf-8-sig").splitlines():
        row = json.loads(line)
        points = [row["keypoints"].get(name) or (np.nan, np.nan) for name in KEYPOINT_NAMES]
        grey = to_grey(load_image(folder / row["image"]))
        photos.append(Photo(grey, np.array(points, np.float32)))
    return photos


def read_images(folder: Path) -> list[Rgb]:
    """The photos of `read_photos` in colour, uint8 `(H, W, 3)` RGB each; raises the same."""
    lines = (folder / "annotations.jsonl").read_text(encoding="utf-8-sig").splitlines()
    return [load_image(folder / json.loads(line)["image"]) for line in lines]


def rotate(photo: Photo, angle_deg: float) -> Photo:
    """The photo rotated clockwise, as seen, about its centre, on a canvas that contains it."""
    height, width = photo.grey.shape
    side = int(np.ceil(np.hypot(height, width)))
    centre, canvas_centre = ((width - 1) / 2, (height - 1) / 2), (side - 1) / 2
    return _warp(photo, similarity(1.0, angle_deg, centre, (canvas_centre, canvas_centre)), side)


def shrink(photo: Photo, face_px: float) -> Photo:
    """The photo resized so that the square around its face is `face_px` wide."""
    scale = face_px / photo.square[2]
    side = int(np.ceil(max(photo.grey.shape) * scale))
    return _warp(photo, similarity(scale, 0.0, (-0.5, -0.5), (-0.5, -0.5)), side)


def detect_annotated(detect: FaceKeypoints, photos: list[Photo]) -> list[Face | None]:
    """Detect faces end to end: for each photo the one that matches the annotation, or None.

    A face matches if its centre is nearer than a quarter of the square's side and its width is
    between half and twice that side.
    """
    return [_matching_face(photo, detect(photo.grey)) for photo in photos]


def predict_annotated(detect: FaceKeypoints, photos: list[Photo]) -> list[Face | None]:
    """Predict the face in the annotated square of each photo, without the detector."""
    return [detect.faces_at(photo.grey, box_of_square(photo.square)[None])[0] for photo in photos]


def _matching_face(photo: Photo, faces: list[Face]) -> Face | None:
    x, y, side, _ = photo.square
    centre = np.array([x, y]) + (side - 1) / 2
    match = None
    for face in faces:
        distance = float(np.linalg.norm(face.box[:2] + (face.box[2:] - 1) / 2 - centre))
        if distance < side / 4 and 0.5 < face.box[2] / side < 2:
            match = face
    return match


def _warp(photo: Photo, matrix: Matrix, side: int) -> Photo:
    keypoints = transform(matrix, photo.keypoints).astype(np.float32)
    return replace(photo, grey=cut(photo.grey, matrix, side), keypoints=keypoints)
