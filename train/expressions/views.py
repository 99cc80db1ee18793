"""Heads of the head model as the embedded network sees them: turned, projected, with its errors.

Legend: N heads, I identities, E shapes, P points that are used (52).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.analysis.expression_frame import USED
from train.errors import DataError

Array = NDArray[np.float32]

IDENTITY_DEVIATION = 0.8  # of the identity weights: that of the model's published heads
MAX_YAW_DEG, MAX_PITCH_DEG = 45.0, 25.0
_NEAREST_CM = 40.0  # of a head to the camera; the inverse distance is uniform down to 0
_POINTS = list(USED)
_OUTER_CORNERS = (36, 45)
# Errors of the embedded network's points against hands on LFPW (median absolute deviation over
# 0.6745, after a similarity by the rigid points), in outer-canthal widths: what the points of a
# part share, x and y, and what each has of its own, x and y.
_PARTS = (
    (range(8, 9), (0.000, 0.000), (0.039, 0.049)),
    (range(17, 22), (0.029, 0.021), (0.016, 0.017)),
    (range(22, 27), (0.029, 0.021), (0.016, 0.017)),
    (range(27, 31), (0.009, 0.013), (0.005, 0.010)),
    (range(31, 36), (0.004, 0.007), (0.012, 0.008)),
    (range(36, 42), (0.012, 0.011), (0.009, 0.008)),
    (range(42, 48), (0.012, 0.011), (0.009, 0.008)),
    (range(48, 68), (0.017, 0.019), (0.017, 0.015)),
)
_LASTING = 0.5  # of the errors' variance stays the same in all views of a person


@dataclass(frozen=True, slots=True)
class HeadModel:
    """A head model at the points that are used: `neutral + identities·n + shapes·w`, cm.

    Attributes:
        neutral: `(P, 3)`: x to the subject's left, y down, z away from the viewer.
        identities: `(I, P, 3)`.
        shapes: `(E, P, 3)`.
        names: of the shapes.
        width: outer-canthal width of the neutral head.
    """

    neutral: Array
    identities: Array
    shapes: Array
    names: list[str]
    width: float

    @property
    def reference(self) -> Array:
        """The neutral head from the front, `(P, 2)` in outer-canthal widths."""
        return np.asarray(self.neutral[:, :2] / self.width, np.float32)


def read_heads(path: Path) -> HeadModel:
    """Read a head model.

    Raises:
        DataError: the file cannot be read or lacks an array.
    """
    try:
        with np.load(path) as file:
            names = [str(name) for name in file["expression_names"]]
            neutral, identities, shapes = (
                np.asarray(file[name], np.float32).reshape(-1, 68, 3)
                for name in ("neutral68", "identity68", "expression68")
            )
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path}: cannot be read as a head model ({error})") from error
    right, left = neutral[0, list(_OUTER_CORNERS)]
    return HeadModel(
        neutral[0, _POINTS], identities[:, _POINTS], shapes[:, _POINTS], names,
        float(np.linalg.norm(left - right)),
    )  # fmt: skip


def draw_people(rng: np.random.Generator, model: HeadModel, count: int) -> Array:
    """Neutral heads of people, `(N, P, 3)` cm."""
    weights = rng.normal(0, IDENTITY_DEVIATION, (count, len(model.identities)))
    shapes = weights.astype(np.float32) @ model.identities.reshape(len(model.identities), -1)
    return np.asarray(model.neutral + shapes.reshape(count, -1, 3))


def express(people: Array, weights: NDArray[np.floating], model: HeadModel) -> Array:
    """The heads of people with expressions of these weights `(N, E)`."""
    moved = weights.astype(np.float32) @ model.shapes.reshape(len(model.shapes), -1)
    return np.asarray(people + moved.reshape(people.shape))


def project(rng: np.random.Generator, heads: Array) -> Array:
    """Heads seen from random sides at random distances, `(N, P, 2)` cm; roll is left at 0."""
    count = len(heads)
    yaw = np.radians(rng.uniform(-MAX_YAW_DEG, MAX_YAW_DEG, count))
    pitch = np.radians(rng.uniform(-MAX_PITCH_DEG, MAX_PITCH_DEG, count))
    zero, one = np.zeros(count), np.ones(count)
    about_y = np.array([[np.cos(yaw), zero, np.sin(yaw)], [zero, one, zero],
                        [-np.sin(yaw), zero, np.cos(yaw)]])  # fmt: skip
    about_x = np.array([[one, zero, zero], [zero, np.cos(pitch), -np.sin(pitch)],
                        [zero, np.sin(pitch), np.cos(pitch)]])  # fmt: skip
    turn = np.einsum("abn,bcn->nca", about_y, about_x).astype(np.float32)  # transposed
    turned = (heads - heads.mean(axis=1, keepdims=True)) @ turn
    nearness = rng.uniform(0, 1 / _NEAREST_CM, (count, 1, 1)).astype(np.float32)
    return np.asarray(turned[..., :2] / (1 + turned[..., 2:] * nearness))


class PointErrors:
    """Errors of the network's points: of each person some that last, in each view others."""

    def __init__(self, rng: np.random.Generator, people: int, width: float) -> None:
        """Draw the lasting errors of `people`; `width` is the outer-canthal width, cm."""
        self._rng, self._people, self._width = rng, people, width
        self._lasting = self._draw(_LASTING)

    def draw(self) -> Array:
        """The errors of one view of each person, `(N, P, 2)` cm."""
        return self._lasting + self._draw(1 - _LASTING)

    def _draw(self, share: float) -> Array:
        errors = np.empty((self._people, len(USED), 2), np.float32)
        for points, shared, own in _PARTS:
            columns = [USED.index(point) for point in points]
            together = self._rng.normal(0, shared, (self._people, 1, 2))
            alone = self._rng.normal(0, own, (self._people, len(columns), 2))
            errors[:, columns] = together + alone
        return errors * np.float32(np.sqrt(share) * self._width)
