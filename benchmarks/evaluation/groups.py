"""How often faces are found, and how far their points are from a teacher's, by group of faces.

Legend: F faces, K keypoints (15).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.comparison.accuracy import matching_points
from benchmarks.datasets.photos import Photo, rotate
from benchmarks.evaluation.labelled_points import errors68
from edge.evaluation.annotation_offsets import add_offsets, measure_offsets
from edge.evaluation.metrics import normalised_mean_error
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.image import load_image, to_grey
from edge.keypoints import KEYPOINT_NAMES

_ROTATION_DEG = 90.0
_MATCH_DISTANCE = 0.1  # of the side of a face's square: mean distance of points that are the face's
_CODES = ("age", "race", "gender")


@dataclass(frozen=True, slots=True)
class LabelledFace:
    """A photo of one face with the points that a teacher predicts.

    Attributes:
        photo: with the teacher's 15 keypoints.
        points68: the teacher's, `(68, 2)` px.
        groups: the group of each kind that it belongs to: `set`, and `age`, `race` and `gender`
            where the annotation has their codes.
    """

    photo: Photo
    points68: NDArray[np.float64]
    groups: dict[str, str]

    @property
    def cell(self) -> str | None:
        """Its age, race and gender; None where one is unknown."""
        codes = [f"{kind} {self.groups[kind]}" for kind in _CODES if kind in self.groups]
        return ", ".join(codes) if len(codes) == len(_CODES) else None


@dataclass(frozen=True, slots=True)
class FoundFace:
    """What was found in a photo.

    Attributes:
        face: the labelled face, or None.
        found_rotated: whether it is found in the photo rotated by 90°, too.
    """

    face: Face | None
    found_rotated: bool


def read_labelled_faces(folder: Path) -> list[LabelledFace]:
    """Read a folder with `annotations.jsonl`; photos that the teacher finds no face in are skipped.

    Raises:
        EdgeError: a photo cannot be read.
        OSError: the annotations cannot be opened.
        KeyError, ValueError: a line lacks a value.
    """
    faces = []
    for line in (folder / "annotations.jsonl").read_text(encoding="utf-8").splitlines():
        labels = json.loads(line)
        if not labels.get("teacher"):
            continue
        points = [labels["teacher"].get(name) or (np.nan, np.nan) for name in KEYPOINT_NAMES]
        grey = to_grey(load_image(folder / labels["image"]))
        codes = {kind: str(labels[kind]) for kind in _CODES if labels.get(kind) is not None}
        faces.append(
            LabelledFace(
                Photo(grey, np.array(points, np.float32)),
                np.array(labels["teacher68"], np.float64),
                {"set": str(labels["set"]), **codes},
            )
        )
    return faces


def predict_faces(detect: FaceKeypoints, labelled: Sequence[LabelledFace]) -> list[FoundFace]:
    """Find the labelled faces, in each photo and in the photo rotated by 90°.

    A face is found if its points are near the teacher's, on average nearer than a tenth of the side
    of the square around the face: not if a part of it was taken for a face.
    """
    found = []
    for face in labelled:
        rotated = rotate(face.photo, _ROTATION_DEG)
        found.append(
            FoundFace(
                _matching_face(face.photo, detect(face.photo.grey)),
                _matching_face(rotated, detect(rotated.grey)) is not None,
            )
        )
    return found


def _matching_face(photo: Photo, faces: Sequence[Face]) -> Face | None:
    points = [face.keypoints.tolist() for face in faces]
    match = matching_points(photo, points, _MATCH_DISTANCE)
    if match is None:
        return None
    return next(face for face in faces if np.array_equal(face.keypoints, match))


def measure_cells(
    labelled: Sequence[LabelledFace], found: Sequence[FoundFace], min_faces: int
) -> dict[str, Any]:
    """Measure all faces, each group, and each cell of age, race and gender.

    Args:
        labelled: the faces.
        found: of each of them what was found.
        min_faces: a smaller cell does not count as the worst.

    Returns:
        `groups` and `cells`: by name `faces`, `found` and `found_90` (shares), and of those found
        `distance` and `distance68`, the mean distances to the teacher; `worst`: the number of
        `cells` of at least `min_faces`, the least share `found` among them and its `found_cell`,
        and the largest distance over that of all faces, `ratio`, and its `ratio_cell`.

    Raises:
        ValueError: no face was found, or there are no cells.
    """
    distances = _distances(labelled, found)
    rows: dict[str, list[int]] = {"all": list(range(len(labelled)))}
    cells: dict[str, list[int]] = {}
    for kind in ("set", *_CODES):
        for value in sorted({face.groups.get(kind, "") for face in labelled}, key=_order):
            if value:
                members = [i for i, face in enumerate(labelled) if face.groups.get(kind) == value]
                rows[f"{kind} {value}"] = members
    for i, face in enumerate(labelled):
        if face.cell:
            cells.setdefault(face.cell, []).append(i)
    groups = {name: _measure(members, found, distances) for name, members in rows.items()}
    measured = {name: _measure(members, found, distances) for name, members in cells.items()}
    judged = {name: cell for name, cell in measured.items() if cell["faces"] >= min_faces}
    if not judged:
        raise ValueError(f"no group of age, race and gender has {min_faces} faces")
    return {"groups": groups, "cells": measured, "worst": _worst(judged, groups["all"])}


def _order(value: str) -> tuple[int, str]:
    """Numbers and ranges of ages by their first number, then names."""
    match = re.match(r"\d+", value)
    return (int(match[0]) if match else -1, value)


def _distances(
    labelled: Sequence[LabelledFace], found: Sequence[FoundFace]
) -> dict[str, NDArray[np.floating]]:
    """By kind, the mean distance of each face's points to the teacher's, `(F,)`, NaN if missed."""
    pairs = [(i, f.face) for i, f in enumerate(found) if f.face is not None]
    if not pairs:
        raise ValueError(f"none of the {len(found)} labelled faces is found")
    rows = [i for i, _ in pairs]
    true = np.stack([labelled[i].photo.keypoints for i in rows])
    predicted = np.stack([face.keypoints for _, face in pairs])
    corrected = add_offsets(predicted, measure_offsets(predicted, true))
    distances = {"distance": normalised_mean_error(corrected, true)}
    points68 = [face.points68 for _, face in pairs if face.points68 is not None]
    if points68:
        true68 = np.stack([labelled[i].points68 for i in rows])
        distances["distance68"] = errors68(np.stack(points68), true68).mean(axis=1)
    result = {}
    for name, values in distances.items():
        result[name] = np.full(len(found), np.nan)
        result[name][rows] = values
    return result


def _measure(
    members: Sequence[int],
    found: Sequence[FoundFace],
    distances: dict[str, NDArray[np.floating]],
) -> dict[str, Any]:
    is_found = [found[i].face is not None for i in members]
    means = {
        name: round(float(np.nanmean(values[members])), 5)
        for name, values in distances.items()
        if any(is_found)
    }
    return {
        "faces": len(members),
        "found": round(float(np.mean(is_found)), 4),
        "found_90": round(float(np.mean([found[i].found_rotated for i in members])), 4),
        **means,
    }


def _worst(cells: dict[str, dict[str, Any]], total: dict[str, Any]) -> dict[str, Any]:
    rarest = min(cells, key=lambda name: cells[name]["found"])
    distances = {name: cell.get("distance", np.inf) for name, cell in cells.items()}
    farthest = max(distances, key=lambda name: distances[name])
    return {
        "cells": len(cells),
        "found": cells[rarest]["found"],
        "found_cell": rarest,
        "ratio": round(distances[farthest] / total["distance"], 3) if total["distance"] else 1.0,
        "ratio_cell": farthest,
    }
