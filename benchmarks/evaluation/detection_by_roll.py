"""Detection of faces at any roll, by the detector and the keypoint network together.

Legend: K keypoints (15).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets.photos import Photo, rotate
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.geometry.boxes import intersection_over_union
from edge.geometry.face_frame import box_of_square, eye_span, roll_deg
from edge.image import load_image, to_grey
from edge.keypoints import KEYPOINT_NAMES

ROLLS_DEG = range(-180, 180, 15)
_MIN_IOU = 0.5  # from which on a box is the face's
_MAX_ERROR = 0.1  # mean distance of correct keypoints, of the eye span
_WRONG_WAY_DEG = 90.0  # difference from the face's roll above which keypoints are the wrong way up
_ROTATION_DEG = 90.0  # of the rotated photos of `measure_sets`


def measure_rolls(
    detect: FaceKeypoints, photos: list[Photo], rolls_deg: Sequence[int] = ROLLS_DEG
) -> dict[str, dict[str, float]]:
    """By rotation in degrees, shares of faces found, with correct and with wrong-way-up points."""
    return {str(roll): _measure(detect, [rotate(p, roll) for p in photos]) for roll in rolls_deg}


def _measure(detect: FaceKeypoints, photos: list[Photo]) -> dict[str, float]:
    found = [face_of(detect(photo.grey), photo) for photo in photos]
    pairs = [(face, p) for face, p in zip(found, photos, strict=True) if face is not None]
    near = [_error(face, photo) <= _MAX_ERROR for face, photo in pairs]
    wrong = [_roll_error(face, photo) > _WRONG_WAY_DEG for face, photo in pairs]
    return {
        "found": round(len(pairs) / len(photos), 4),
        "within_10_percent": round(sum(near) / len(photos), 4),
        "wrong_way_up": round(sum(wrong) / len(photos), 4),
    }


def face_of(faces: list[Face], photo: Photo) -> Face | None:
    """The annotated face among those found in a photo."""
    box = box_of_square(photo.square)[None]
    boxes = np.array([face.box for face in faces], np.float32).reshape(-1, 4)
    overlaps = intersection_over_union(box, boxes)[0]
    return faces[int(overlaps.argmax())] if overlaps.max(initial=0.0) >= _MIN_IOU else None


def _error(face: Face, photo: Photo) -> float:
    """Mean distance of the keypoints from the annotated ones, as a share of the eye span."""
    distances = np.linalg.norm(face.keypoints - photo.keypoints, axis=1)
    return float(np.nanmean(distances) / eye_span(photo.keypoints[None])[0])


def _roll_error(face: Face, photo: Photo) -> float:
    difference = roll_deg(face.keypoints) - roll_deg(photo.keypoints)
    return abs((difference + 180) % 360 - 180)


def candidates_per_photo(detect: FaceKeypoints, photos: list[Photo]) -> float:
    """Mean number of boxes per photo that the keypoint network runs on."""
    return round(float(np.mean([len(detect.detect_faces(p.grey).boxes) for p in photos])), 3)


def measure_sets(detect: FaceKeypoints, folder: Path) -> dict[str, dict[str, float]]:
    """By set of photos, the shares of faces found upright and with the photo rotated by 90°."""
    shares: dict[str, list[tuple[bool, bool]]] = {}
    for name, photo in _read_sets(folder):
        versions = (photo, rotate(photo, _ROTATION_DEG))
        upright, rotated = (face_of(detect(v.grey), v) is not None for v in versions)
        for key in (name, "all"):
            shares.setdefault(key, []).append((upright, rotated))
    return {
        name: {"faces": len(found), "upright": _share(found, 0), "rotated_90": _share(found, 1)}
        for name, found in shares.items()
    }


def _share(found: list[tuple[bool, bool]], version: int) -> float:
    return round(float(np.mean([pair[version] for pair in found])), 4)


def _read_sets(folder: Path) -> list[tuple[str, Photo]]:
    """Photos with a teacher's keypoints, and the names of their sets."""
    photos = []
    for line in (folder / "annotations.jsonl").read_text(encoding="utf-8-sig").splitlines():
        row = json.loads(line)
        for labels in _faces_of(row):
            photo = Photo(to_grey(load_image(folder / row["image"])), _keypoints(labels))
            photos.append((str(row["set"]), photo))
    return photos


def _faces_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    faces = [row, *row.get("faces", [])]
    return [face["teacher"] for face in faces if face.get("teacher")]


def _keypoints(labels: dict[str, Any]) -> NDArray[np.float32]:
    return np.array([labels.get(name) or (np.nan, np.nan) for name in KEYPOINT_NAMES], np.float32)
