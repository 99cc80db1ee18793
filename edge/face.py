"""The result: one detected face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.keypoints import KEYPOINT_NAMES

_COUNT = len(KEYPOINT_NAMES)
_SHAPES = {
    "box": (4,), "keypoints": (_COUNT, 2), "error": (_COUNT,), "points68": (68, 2),
    "error90": (_COUNT,),
}  # fmt: skip
_OPTIONAL = ("points68", "error90")


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A detected face; coordinates are pixels of the image, with centres at integers.

    Attributes:
        box: float32 `(4,)`: x, y, width, height, px.
        score: confidence that this is a face, 0–1.
        keypoints: float32 `(15, 2)`: x and y in the order of `edge.KEYPOINT_NAMES`, px.
        error: float32 `(15,)`: the radius around each keypoint that holds the true point with
            probability 0.5, px.
        track_id: the same number for the same face in successive video frames; None for a still.
        points68: float32 `(68, 2)`: the points of 300-W and dlib, in their order, px; None unless
            they were asked for.
        error90: float32 `(15,)`: as `error`, with probability 0.9; None where the model does not
            give it.
    """

    box: NDArray[np.float32]
    score: float
    keypoints: NDArray[np.float32]
    error: NDArray[np.float32]
    track_id: int | None = None
    points68: NDArray[np.float32] | None = None
    error90: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        """Check the shapes.

        Raises:
            ValueError: an array has another shape than above.
        """
        for name, shape in _SHAPES.items():
            array = getattr(self, name)
            if array is None and name in _OPTIONAL:
                continue
            found = array.shape if isinstance(array, np.ndarray) else np.shape(array)
            if found != shape:
                raise ValueError(f"{name} must have the shape {shape}, received {found}")

    def to_dict(self) -> dict[str, Any]:
        """The face as values that `json` can write, as `--json` writes it without measures."""
        from edge.records import face_record

        return face_record(self)
