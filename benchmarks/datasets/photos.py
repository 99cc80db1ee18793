"""Whole photos with hand-annotated faces: read, turned, shrunk, and looked at by the product.

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
from edge.geometry.face_frame import box_of_square, face_square
from edge.geometry.similarity import similarity
from edge.image import Grey, load_image, to_grey
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
        """The square that frames the face, from its annotation; `(4,)` px."""
        square = face_square(self.keypoints)
        if square is None:
            raise ValueError("an annotated face has fewer than three keypoints")
        return square


def read_photos(folder: Path) -> list[Photo]:
    """Read a folder of photos with `annotations.jsonl`.

    Each line is an object with `image`, a file of the folder, and `keypoints`, from name to
    `[x, y]` in px, or null.

    Raises:
        EdgeError: a photo cannot be read.
        OSError: the annotations cannot be opened.
        KeyError, ValueError: a line is not such an object.
    """
    photos = []
    for line in (folder / "annotations.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        points = [row["keypoints"].get(name) or (np.nan, np.nan) for name in KEYPOINT_NAMES]
        grey = to_grey(load_image(folder / row["image"]))
        photos.append(Photo(grey, np.array(points, np.float32)))
    return photos


def turn(photo: Photo, angle_deg: float) -> Photo:
    """The photo turned about its centre, clockwise as seen, on a canvas that holds all of it."""
    height, width = photo.grey.shape
    side = int(np.ceil(np.hypot(height, width)))
    centre, middle = ((width - 1) / 2, (height - 1) / 2), (side - 1) / 2
    return _moved(photo, similarity(1.0, angle_deg, centre, (middle, middle)), side)


def shrink(photo: Photo, face_px: float) -> Photo:
    """The photo shrunk until the square around its face is `face_px` wide."""
    scale = face_px / photo.square[2]
    side = int(np.ceil(max(photo.grey.shape) * scale))
    return _moved(photo, similarity(scale, 0.0, (-0.5, -0.5), (-0.5, -0.5)), side)


def found_in(detect: FaceKeypoints, photos: list[Photo]) -> list[Face | None]:
    """For each photo the face that `detect` finds in the place of the annotated one, if any."""
    found: list[Face | None] = []
    for photo in photos:
        x, y, side, _ = photo.square
        centre, best = np.array([x, y]) + (side - 1) / 2, None
        for face in detect(photo.grey):
            away = float(np.linalg.norm(face.box[:2] + (face.box[2:] - 1) / 2 - centre))
            if away < side / 4 and 0.5 < face.box[2] / side < 2:
                best = face
        found.append(best)
    return found


def found_at(detect: FaceKeypoints, photos: list[Photo]) -> list[Face | None]:
    """For each photo the face that `detect` sees in the annotated square."""
    return [detect.faces_at(photo.grey, box_of_square(photo.square))[0] for photo in photos]


def _moved(photo: Photo, matrix: Matrix, side: int) -> Photo:
    moved = transform(matrix, photo.keypoints).astype(np.float32)
    return replace(photo, grey=cut(photo.grey, matrix, side), keypoints=moved)
