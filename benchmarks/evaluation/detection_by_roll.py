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
_SAME = 0.5  # intersection over union from which on a box is the face's
_NEAR = 0.1  # of the eye span; mean distance of the keypoints up to which they are right
_WRONG_WAY_DEG = 90.0  # from the face's roll, beyond which keypoints stand on their head
_TURNED_DEG = 90.0


def measure_rolls(
    detect: FaceKeypoints, photos: list[Photo], rolls_deg: Sequence[int] = ROLLS_DEG
) -> dict[str, dict[str, float]]:
    """By roll of the photos, shares of their faces: found, with right and wrong-way-up points."""
    return {str(roll): _measure(detect, [rotate(p, roll) for p in photos]) for roll in rolls_deg}


def _measure(detect: FaceKeypoints, photos: list[Photo]) -> dict[str, float]:
    found = [face_of(detect(photo.grey), photo) for photo in photos]
    pairs = [(face, p) for face, p in zip(found, photos, strict=True) if face is not None]
    near = [_error(face, photo) <= _NEAR for face, photo in pairs]
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
    return faces[int(overlaps.argmax())] if overlaps.max(initial=0.0) >= _SAME else None


def _error(face: Face, photo: Photo) -> float:
    """Mean distance of the keypoints from the annotated ones, of the eye span."""
    distances = np.linalg.norm(face.keypoints - photo.keypoints, axis=1)
    return float(np.nanmean(distances) / eye_span(photo.keypoints[None])[0])


def _roll_error(face: Face, photo: Photo) -> float:
    apart = roll_deg(face.keypoints) - roll_deg(photo.keypoints)
    return abs((apart + 180) % 360 - 180)


def candidates_per_photo(detect: FaceKeypoints, photos: list[Photo]) -> float:
    """How many boxes of a photo go on to the keypoint network."""
    return round(float(np.mean([len(detect.detect_faces(p.grey).boxes) for p in photos])), 3)


def measure_sets(detect: FaceKeypoints, folder: Path) -> dict[str, dict[str, float]]:
    """By set of varied photos, the share of faces found upright and turned by a right angle."""
    shares: dict[str, list[tuple[bool, bool]]] = {}
    for name, photo in _read_sets(folder):
        ways = (photo, rotate(photo, _TURNED_DEG))
        upright, turned = (face_of(detect(way.grey), way) is not None for way in ways)
        for key in (name, "all"):
            shares.setdefault(key, []).append((upright, turned))
    return {
        name: {"faces": len(found), "upright": _share(found, 0), "turned_90": _share(found, 1)}
        for name, found in shares.items()
    }


def _share(found: list[tuple[bool, bool]], way: int) -> float:
    return round(float(np.mean([pair[way] for pair in found])), 4)


def _read_sets(folder: Path) -> list[tuple[str, Photo]]:
    """Photos with a teacher's keypoints, and the names of their sets."""
    photos = []
    for line in (folder / "annotations.jsonl").read_text(encoding="utf-8").splitlines():
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
