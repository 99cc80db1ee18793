"""How far apart two runs over the same pictures are, from the JSON lines that both wrote.

Legend: F faces.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SAME_FACE = 0.5  # of a box's width: centres nearer than that are of one face


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two runs compared.

    Attributes:
        pictures: how many both looked at.
        faces: how many faces both found.
        only_one: how many faces only one of them found.
        largest_px: the greatest distance between a keypoint of one run and of the other, px.
        rms_px: the root of the mean square of all such distances, px.
        largest_of_error: the greatest distance over that keypoint's `error`.
    """

    pictures: int
    faces: int
    only_one: int
    largest_px: float
    rms_px: float
    largest_of_error: float


def compare(first: str, second: str) -> Agreement:
    """Compare what `python -m edge.run --json -` wrote in two runs over the same pictures.

    Raises:
        ValueError: the runs are not of the same pictures, or a line is no such object.
    """
    ours, theirs = read_records(first), read_records(second)
    if list(ours) != list(theirs):
        raise ValueError(
            f"cannot compare runs over different pictures: {len(ours)} and {len(theirs)}, "
            f"{len(set(ours) & set(theirs))} of them in both"
        )
    pairs, only_one = [], 0
    for name, faces in ours.items():
        found, alone = match(faces, theirs[name])
        pairs += found
        only_one += alone
    rows = [keypoints_apart(one, other) for one, other in pairs]
    px = np.array([distances for distances, _ in rows])  # (F, 15)
    of_error = px / np.array([radii for _, radii in rows])  # (F, 15)
    return Agreement(
        pictures=len(ours),
        faces=len(pairs),
        only_one=only_one,
        largest_px=round(float(px.max(initial=0.0)), 3),
        rms_px=round(float(np.sqrt((px**2).mean())), 3) if rows else 0.0,
        largest_of_error=round(float(of_error.max(initial=0.0)), 3),
    )


def read_records(text: str) -> dict[str, list[dict[str, Any]]]:
    """The faces of each picture, by its name.

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
                f"line {number}: expected a picture's JSON object, received {line[:60]!r}"
            ) from error
    return faces


def match(
    ours: list[dict[str, Any]], theirs: list[dict[str, Any]]
) -> tuple[list[tuple[dict[str, Any], dict[str, Any]]], int]:
    """Pair the faces of one picture.

    Returns:
        The pairs, and how many faces are left alone on either side.
    """
    pairs, left = [], list(theirs)
    for face in ours:
        near = min(left, key=lambda other: _apart(face, other), default=None)
        if near is not None and _apart(face, near) < _SAME_FACE:
            pairs.append((face, near))
            left.remove(near)
    return pairs, len(ours) - len(pairs) + len(left)


def keypoints_apart(
    one: dict[str, Any], other: dict[str, Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distances between two faces' keypoints, and the first one's `error`; both `(15,)` px."""
    points = [
        np.array([[point["x"], point["y"]] for point in face["keypoints"].values()])
        for face in (one, other)
    ]
    error = np.array([point["error"] for point in one["keypoints"].values()])
    return np.linalg.norm(points[0] - points[1], axis=1), error


def _apart(one: dict[str, Any], other: dict[str, Any]) -> float:
    """How far two boxes' centres lie apart, over the first one's width."""
    (x, y, width, height), (x2, y2, width2, height2) = one["box"], other["box"]
    across, down = x + width / 2 - x2 - width2 / 2, y + height / 2 - y2 - height2 / 2
    return float(np.hypot(across, down) / width)
