"""How far eyes are open by the 68 points, against lids that were labelled by hand.

helen's 29 points have the middle of each lid, the 68 points have two points on each. The opening is
the distance between the middles of the lids over that between the corners of the eye, each from its
own points.

Legend: F faces.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.face import Face

# Right and left eye among the 29 points: middle of the upper and the lower lid, outer and inner
# corner.
_LIDS_29, _CORNERS_29 = ((12, 13), (14, 15)), ((8, 10), (9, 11))
# Among the 68: the pairs of points on the upper and the lower lid, outer and inner corner.
_LIDS_68, _CORNERS_68 = (((37, 38), (41, 40)), ((44, 43), (46, 47))), ((36, 39), (45, 42))


def read_points29(folder: Path) -> NDArray[np.float64]:
    """The 29 points of each photo of a folder with `annotations.jsonl`, `(F, 29, 2)` px.

    Photos without them have NaN.

    Raises:
        OSError: the annotations cannot be opened.
        ValueError: a line is no JSON object, or has other points.
    """
    lines = (folder / "annotations.jsonl").read_text(encoding="utf-8").splitlines()
    points = [json.loads(line).get("points29") for line in lines]
    missing = np.full((29, 2), np.nan)
    return np.array([missing if p is None else p for p in points], np.float64)


def measure_openings(
    faces: Sequence[Face | None], points29: NDArray[np.float64]
) -> dict[str, float]:
    """Openings of the eyes of faces that were found, against the labels.

    Args:
        faces: of each photo, with `points68`, or None.
        points29: labels `(F, 29, 2)` px, NaN where missing.

    Returns:
        `eyes`, their number; `mean`, the labelled opening; `difference`, the mean absolute
        difference, and `bias`, the mean of predicted minus labelled; in widths of the eye. Empty
        where the model has no 68 points, or the photos no labels.
    """
    found = [(i, face.points68) for i, face in enumerate(faces) if face is not None]
    is_labelled = np.isfinite(openings29(points29)).all(axis=1)
    pairs = [(i, points) for i, points in found if points is not None and is_labelled[i]]
    if not pairs:
        return {}
    predicted = openings68(np.stack([points for _, points in pairs]))
    labelled = openings29(points29[[i for i, _ in pairs]])
    difference = predicted - labelled
    return {
        "eyes": difference.size,
        "mean": round(float(labelled.mean()), 4),
        "difference": round(float(np.abs(difference).mean()), 4),
        "bias": round(float(difference.mean()), 4),
    }


def openings29(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Openings `(F, 2)` of the right and the left eye from helen's points `(F, 29, 2)`."""
    eyes = zip(_LIDS_29, _CORNERS_29, strict=True)
    return _ratios([(points[:, lids], points[:, corners]) for lids, corners in eyes])


def openings68(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Openings `(F, 2)` of the right and the left eye from the 68 points `(F, 68, 2)`."""
    eyes = zip(_LIDS_68, _CORNERS_68, strict=True)
    return _ratios([(points[:, lids].mean(axis=2), points[:, corners]) for lids, corners in eyes])


def _ratios(
    eyes: Sequence[tuple[NDArray[np.floating], NDArray[np.floating]]],
) -> NDArray[np.floating]:
    """The distance of two lids `(F, 2, 2)` over that of two corners `(F, 2, 2)`, for each eye."""
    spans = [[np.linalg.norm(pair[:, 0] - pair[:, 1], axis=-1) for pair in eye] for eye in eyes]
    return np.stack([lids / corners for lids, corners in spans], axis=-1)
