"""Hands over faces: a palm and fingers, each rounded by its shading.

Legend: P side of a padded crop (192).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from train.visibility.layer import Layer, Scene, Values, capsule
from train.visibility.surfaces import cloth, skin

_FINGER_LENGTHS = (0.85, 1.0, 0.95, 0.72)  # of the longest, from the index to the little finger
_PALM = 40.0  # width of a palm, px of the mean face


class _Canvas:
    """Parts of a hand, drawn one over the other."""

    def __init__(self, surface: Values, contour: float) -> None:
        self.opacity: Values = np.zeros_like(surface)
        self.grey = surface.copy()
        self._surface, self._contour = surface, contour

    def add(self, start: NDArray[np.floating], end: NDArray[np.floating], radius: float) -> None:
        """A finger, or a part of the palm: darker towards its sides."""
        opacity, distance = capsule(start, end, radius)
        shade = 1 - self._contour * np.minimum(distance, 1.2) ** 4
        mixed = self.grey + (self._surface * shade - self.grey) * opacity
        self.grey = np.asarray(mixed, np.float32)
        self.opacity = np.maximum(self.opacity, opacity)


def hand(scene: Scene, rng: np.random.Generator) -> Layer:
    """A hand whose palm or fingers cover a random part of the face; one in eight is gloved."""
    surface = (cloth if rng.random() < 0.12 else skin)(scene, rng)
    canvas = _Canvas(surface, rng.uniform(0.1, 0.45))
    size = scene.unit * float(np.exp(rng.normal(0, 0.22)))
    target = scene.keypoints[rng.integers(len(scene.keypoints))] + rng.normal(0, 6, 2) * scene.unit
    angle = _direction(rng)
    # Where the palm's middle is: the target is anywhere between wrist and finger tips.
    reach = rng.uniform(-0.4, 1.5) * _PALM * size
    _draw_hand(canvas, target - reach * _unit(angle), angle, size, rng)
    return Layer(canvas.opacity, canvas.grey)


def _direction(rng: np.random.Generator) -> float:
    """Of the fingers, radians: mostly from below or from the sides upwards."""
    if rng.random() < 0.2:
        return float(rng.uniform(0, 2 * np.pi))
    return float(-np.pi / 2 + rng.normal(0, 0.9))


def _draw_hand(
    canvas: _Canvas, palm: NDArray[np.floating], angle: float, size: float, rng: np.random.Generator
) -> None:
    forward, side = _unit(angle), _unit(angle + np.pi / 2) * rng.choice([-1.0, 1.0])
    width = _PALM * size
    wrist = palm - forward * width * 1.1
    canvas.add(wrist, wrist - forward * width * 3, width * 0.36)  # the lower arm
    for share in (-0.3, -0.1, 0.1, 0.3):
        canvas.add(wrist + side * share * width * 0.6, palm + side * share * width, width * 0.22)
    _draw_fingers(canvas, palm, angle, side, width, rng)
    if rng.random() < 0.7:
        base = palm - forward * 0.5 * width + side * 0.4 * width
        thumb = _unit(
            angle + float(np.sign(side @ _unit(angle + np.pi / 2))) * rng.uniform(0.4, 1.2)
        )
        canvas.add(base, base + thumb * width * rng.uniform(0.6, 0.9), width * 0.14)


def _draw_fingers(
    canvas: _Canvas,
    palm: NDArray[np.floating],
    angle: float,
    side: NDArray[np.floating],
    width: float,
    rng: np.random.Generator,
) -> None:
    """Up to four fingers, side by side or spread, some bent inwards."""
    count, spread = int(rng.integers(1, 5)), rng.uniform(0.0, 0.22)
    length = width * rng.uniform(0.75, 1.1) * (0.45 if rng.random() < 0.2 else 1.0)
    bend = rng.normal(0, 0.25)
    sign = float(np.sign(side @ _unit(angle + np.pi / 2)))
    for finger in range(4):
        if finger >= count and rng.random() < 0.7:
            continue
        offset = 0.36 - 0.24 * finger
        base = palm + side * offset * width
        direction = angle + sign * (1.5 - finger) * spread + rng.normal(0, 0.03)
        radius = width * rng.uniform(0.11, 0.145)
        middle = base + _unit(direction) * length * 0.55 * _FINGER_LENGTHS[finger]
        tip = middle + _unit(direction + bend) * length * 0.45 * _FINGER_LENGTHS[finger]
        canvas.add(base, middle, radius)
        canvas.add(middle, tip, radius * 0.92)


def _unit(angle: float) -> NDArray[np.float64]:
    return np.array([np.cos(angle), np.sin(angle)])
