"""Where the embedded network puts the 68 points of faces without an expression.

The network was taught with photos, whose 68 points lie a little elsewhere than those of the head
model: brows and chin 0.03 to 0.1 outer-canthal widths lower.

Legend: P points that are used (52).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.analysis.expression_frame import USED, deviations
from edge.facekeypoints import FaceKeypoints
from train.errors import DataError

# In `source` of the photos: 39 people from the front with a neutral expression, CC BY 4.0.
_NEUTRAL = "webmorphR.stim@fa8b78fda2d659bb74ce62fcd99c4407551d2a77:inst/canada/"


def mean_neutral_face(folder: Path, reference: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean points of neutral faces, as the embedded network finds them.

    Args:
        folder: `permissive/`, with `annotations.jsonl`.
        reference: `(P, 2)`, the face that each is fitted to, in outer-canthal widths.

    Returns:
        float32 `(P, 2)` in the frame of the reference.

    Raises:
        DataError: the annotations cannot be read, or no face is found.
    """
    path = folder / "annotations.jsonl"
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        names = [row["image"] for row in rows if _NEUTRAL in row.get("source", "")]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path}: cannot be read as annotations ({error})") from error
    detect = FaceKeypoints(precision="fp32", points68=True, max_faces=1)
    found = [faces[0].points68 for faces in detect.batch([folder / n for n in names]) if faces]
    if not found:
        raise DataError(f"{folder}: no face of {_NEUTRAL} is found")
    points = np.array(found, np.float64)[:, list(USED)]
    offset = deviations(points, reference).mean(axis=0).reshape(2, -1).T
    return np.asarray(reference + offset, np.float32)
