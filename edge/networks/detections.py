"""Detections, and the protocol that every face detector implements."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.geometry.affine import Matrix, crop_matrix
from edge.geometry.face_frame import square_of_box
from edge.image import Grey


@dataclass(frozen=True, slots=True)
class Detections:
    """What a detector found in one image, before the keypoint network has run.

    Attributes:
        boxes: float32 `(M, 4)`: x, y, width, height, px of the image.
        scores: float32 `(M,)`, 0–1; None where the detector gives none.
        squares: float64 `(M, 4)`, what the keypoint network is to see of the image for each box,
            px; None where it follows from the box.
        rolls: float32 `(M,)`, degrees clockwise as seen, by which each square is rotated; None
            where the detector gives none and faces are taken to be upright.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32] | None = None
    squares: NDArray[np.float64] | None = None
    rolls: NDArray[np.float32] | None = None

    def take(self, index: NDArray[np.bool_] | NDArray[np.intp]) -> Detections:
        """The detections that a mask `(M,)` or indices select, in that order."""
        if index.dtype == bool and index.all():
            return self
        return Detections(
            self.boxes[index],
            None if self.scores is None else self.scores[index],
            None if self.squares is None else self.squares[index],
            None if self.rolls is None else self.rolls[index],
        )

    def above(self, score: float) -> Detections:
        """The detections of at least this score; all where the detector gives none."""
        return self if self.scores is None else self.take(self.scores >= score)

    def largest_first(self, count: int | None = None) -> Detections:
        """The detections by area, the largest first; `count` of them at most, which is above 0."""
        if len(self.boxes) < 2:
            return self
        areas = self.boxes[:, 2] * self.boxes[:, 3]
        return self.take(np.argsort(-areas, kind="stable")[:count])

    def crop_matrices(self, size: int) -> list[Matrix]:
        """For each box the matrix to the `size`×`size` px crop that the keypoint network sees."""
        squares = map(square_of_box, self.boxes) if self.squares is None else self.squares
        rolls = [0.0] * len(self.boxes) if self.rolls is None else self.rolls.tolist()
        return [
            crop_matrix(square, size, roll) for square, roll in zip(squares, rolls, strict=True)
        ]

    def score_list(self) -> list[float | None]:
        """One score per box."""
        return [None] * len(self.boxes) if self.scores is None else self.scores.tolist()


class Detector(Protocol):
    """Finds faces in a grey image.

    Attributes:
        path: the `.onnx` file it was read from; None where there is none.
        finds_faces: whether its boxes are candidates that a score decides on; False where every
            box is taken to be a face.
        needs_rotation: whether it finds faces up to a certain roll alone, so that images in which
            it finds none are to be searched rotated (`edge.networks.rotated`); its scores are
            never None then.
    """

    @property
    def path(self) -> Path | None: ...  # noqa: D102

    finds_faces: bool
    needs_rotation: bool

    def __call__(self, grey: Grey, detect_size: int) -> Detections:
        """Find faces in uint8 `(H, W)`, searched at `detect_size` px of its longer side."""
