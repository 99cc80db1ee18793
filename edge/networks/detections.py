"""What a detector found in one picture, before the keypoint network has looked at it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Found:
    """Faces to look at.

    Attributes:
        boxes: float32 `(M, 4)`: x, y, width, height, px.
        squares: for each the square that the keypoint network is to see, float64 `(4,)` px.
        scores: float32 `(M,)`, 0–1, or None where the detector gives none.
    """

    boxes: NDArray[np.float32]
    squares: list[NDArray[np.float64]]
    scores: NDArray[np.float32] | None = None

    def take(self, rows: NDArray[np.bool_]) -> Found:
        """Those of the boxes for which `rows` `(M,)` is true."""
        squares = [square for square, taken in zip(self.squares, rows, strict=True) if taken]
        return Found(self.boxes[rows], squares, None if self.scores is None else self.scores[rows])

    def each_score(self) -> list[float | None]:
        """One score a box."""
        return [None] * len(self.boxes) if self.scores is None else self.scores.tolist()
