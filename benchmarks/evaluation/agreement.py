"""Agreement of two runs over the same images, from the JSON lines that both wrote.

Legend: F faces.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Record = dict[str, Any]  # a face as `edge.run` writes it

_MATCH_DISTANCE = 0.5  # of a box's width: faces whose centres are nearer are matched


@dataclass(frozen=True, slots=True)
class Agreement:
    """Differences between two runs.

    Attributes:
        pictures: number of images.
        faces: number of faces found by both runs.
        only_one: number of faces found by one run only.
        largest_px: maximum distance between corresponding keypoints, px.
        rms_px: root mean square of these distances, px.
        largest_of_error: maximum ratio of such a distance to that keypoint's `error`.
    """

    pictures: int
    faces: int
    only_one: int
    largest_px: float
    rms_px: float
    largest_of_error: float


def compare(first: str, second: str) -> Agreement:
    """Compare two outputs of `python -m edge.run --json -` over the same images.

    Raises:
        ValueError: the runs are over different images, or a line is not such a record.
    """
    ours, theirs = read_records(first), read_records(second)
    if list(ours) != list(theirs):
        raise ValueError(
            f"cannot compare runs over different images: {len(ours)} and {len(theirs)}, "
            f"{len(set(ours) & set(theirs))} of them in both"
        )
    matches = [match(faces, theirs[name]) for name, faces in ours.items()]
    rows = [keypoint_distances(*pair) for pairs, _ in matches for pair in pairs]
    px = np.array([distances for distances, _ in rows])  # (F, 15)
    of_error = px / np.array([radii for _, radii in rows])  # (F, 15)
    return Agreement(
        pictures=len(ours),
        faces=len(rows),
        only_one=sum(unmatched for _, unmatched in matches),
        largest_px=round(float(px.max(initial=0.0)), 3),
        rms_px=round(float(np.sqrt((px**2).mean())), 3) if rows else 0.0,
        largest_of_error=round(float(of_error.max(initial=0.0)), 3),
    )


def read_records(text: str) -> dict[str, list[Record]]:
    """The faces of each image, by its name.

    Raises:
        ValueError: a line is not an object with `image` and `faces`.
    """
    faces = {}
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            record = json.loads(line)
            faces[record["image"]] = record["faces"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"line {number}: expected an image's JSON object, received {line[:60]!r}"
            ) from error
    return faces


def match(ours: list[Record], theirs: list[Record]) -> tuple[list[tuple[Record, Record]], int]:
    """Match the faces of one image, each with the nearest.

    Returns:
        The pairs, and the number of faces without a match in either run.
    """
    pairs = []
    candidates = list(theirs)
    for face in ours:
        nearest = min(candidates, key=lambda other: _distance(face, other), default=None)
        if nearest is not None and _distance(face, nearest) < _MATCH_DISTANCE:
            pairs.append((face, nearest))
            candidates.remove(nearest)
    return pairs, len(ours) - len(pairs) + len(candidates)


def keypoint_distances(
    face: Record, other: Record
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distances between two faces' keypoints, and the first one's `error`; both `(15,)` px."""
    first, second = (
        np.array([[point["x"], point["y"]] for point in record["keypoints"].values()])
        for record in (face, other)
    )
    error = np.array([point["error"] for point in face["keypoints"].values()])
    return np.linalg.norm(first - second, axis=1), error


def _distance(face: Record, other: Record) -> float:
    """Distance between the centres of two boxes, in widths of the first."""
    x, y, width, height = face["box"]
    x2, y2, width2, height2 = other["box"]
    across = x + width / 2 - x2 - width2 / 2
    down = y + height / 2 - y2 - height2 / 2
    return float(np.hypot(across, down) / width)
