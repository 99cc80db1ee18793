"""Expressions of faces from their 68 points, as activations from 0 to 1.

A small network in numpy, taught with turned heads of the ICT face model (`train.expressions`),
reads how far the points lie from a mean face without an expression. An activation is the weight of
the model's shape: 0 is a face at rest, 1 the strongest expression of the model's artists.

They are measurements of the shape of a face, not of what a person feels.

Legend: N faces, K expressions.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.analysis.expression_frame import USED, deviations
from edge.errors import ModelError
from edge.face import Face

EMBEDDED = Path(__file__).parents[1] / "data" / "expressions.npz"
_LAYERS = 3


class Expressions:
    """Tells the expressions of faces.

    Attributes:
        names: of the expressions, in the order of `raw`.
        correlations: of each with the truth on heads that the network was not taught with.
    """

    def __init__(self) -> None:
        """Read the embedded network.

        Raises:
            ModelError: it is missing or damaged.
        """
        try:
            with np.load(EMBEDDED) as file:
                self.names = tuple(str(name) for name in file["names"])
                self.correlations = tuple(float(value) for value in file["correlations"])
                self._reference = np.asarray(file["reference"], np.float32)
                self._layers = [
                    (file[f"weights{i}"].astype(np.float32), file[f"bias{i}"].astype(np.float32))
                    for i in range(_LAYERS)
                ]
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"{EMBEDDED}: cannot be read as a network ({error})") from error

    def __call__(
        self, face: Face, neutral: NDArray[np.floating] | None = None
    ) -> dict[str, float] | None:
        """The activations of a face by name, 0–1.

        Args:
            face: with `points68`.
            neutral: `raw` of the same person's face at rest, `(K,)`, which is taken off; None
                compares with the mean person.

        Returns:
            None without `points68`, or where they coincide.
        """
        if face.points68 is None:
            return None
        values = self.raw([face])[0]
        if neutral is not None:
            values = values - neutral
        if not np.isfinite(values).all():
            return None
        return dict(zip(self.names, np.clip(values, 0, 1).tolist(), strict=True))

    def raw(self, faces: Sequence[Face]) -> NDArray[np.float32]:
        """The network's outputs for faces with `points68`, `(N, K)`: activations that are not cut.

        NaN for a face whose points coincide.
        """
        points = [face.points68 for face in faces]
        if any(found is None for found in points):
            raise ValueError("expressions need faces with points68")
        chosen = np.array(points, np.float64).reshape(-1, 68, 2)[:, list(USED)]
        values = deviations(chosen, self._reference)
        for number, (weights, bias) in enumerate(self._layers):
            values = values @ weights + bias
            if number < _LAYERS - 1:
                values = np.maximum(values, 0)
        return np.asarray(values, np.float32)
