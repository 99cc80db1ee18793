"""Surfaces of things that cover faces: skin, cloth, parts of photos, plain ones, each lit.

Legend: P side of a padded crop (192).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from train.data.augmentation import noise
from train.data.labelled_faces import PADDED
from train.visibility.layer import Scene, Values

_CHEEK = np.array([[33.0, 62.0], [63.0, 62.0], [48.0, 45.0]])  # px of the mean face


def skin(scene: Scene, rng: np.random.Generator) -> Values:
    """Skin of about the face's own tone, of another's once in four times."""
    x, y = np.clip(np.rint(scene.place(_CHEEK)), 0, PADDED - 1).astype(int).T
    tone = float(np.median(scene.image[y, x])) * float(np.exp(rng.normal(0, 0.12)))
    if rng.random() < 0.25:
        tone = rng.uniform(40, 220)
    lit = tone * (1 + rng.uniform(0.02, 0.15) * _waves(rng))
    return np.asarray(np.clip(lit + rng.normal(0, 3) * _grain(rng), 5, 250), np.float32)


def cloth(scene: Scene, rng: np.random.Generator) -> Values:
    """Cloth with folds, sometimes striped, dotted or knitted."""
    grey = 255 * rng.beta(1.3, 0.9) + rng.uniform(0, 25) * _waves(rng)
    y, x = np.mgrid[:PADDED, :PADDED]
    pattern = rng.random()
    if pattern < 0.5:  # folds
        grey = grey + rng.uniform(0, 16) * _stripes(rng, (6, 40))
    elif pattern < 0.65:
        grey = grey + rng.uniform(10, 70) * np.sign(_stripes(rng, (4, 24)))
    elif pattern < 0.8:
        period = rng.uniform(3, 12)
        dots = np.sin(x * 2 * np.pi / period) * np.sin(y * 2 * np.pi / period)
        grey = grey + rng.uniform(-60, 60) * (dots > rng.uniform(0, 0.6))
    elif pattern < 0.9:
        return patch(scene, rng)
    grey = grey + rng.uniform(0, 6) * _grain(rng)
    return np.asarray(np.clip(grey, 0, 255), np.float32)


def plain(scene: Scene, rng: np.random.Generator) -> Values:
    """A smooth surface with a gradient and sometimes a gloss."""
    del scene
    grey = rng.uniform(0, 255) + rng.uniform(0, 40) * _waves(rng)
    if rng.random() < 0.3:
        gloss = np.maximum(_stripes(rng, (40, 160)), 0) ** 6
        grey = grey + rng.uniform(20, 120) * gloss
    return np.asarray(np.clip(grey, 0, 255), np.float32)


def patch(scene: Scene, rng: np.random.Generator) -> Values:
    """A random part of another photo, turned, mirrored, enlarged and in another light."""
    picture = scene.patches[rng.integers(len(scene.patches))]
    scale, angle = np.exp(rng.uniform(np.log(0.7), np.log(4.0))), rng.uniform(0, 360)
    centre = rng.uniform(0.2, 0.8, 2) * PADDED
    matrix = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), float(angle), scale)
    matrix[:, 2] = matrix[:, 2] + PADDED / 2 - centre
    moved = cv2.warpAffine(picture, matrix, (PADDED, PADDED), borderMode=cv2.BORDER_REFLECT_101)
    if rng.random() < 0.5:
        moved = moved[:, ::-1]
    lit = (moved.astype(np.float32) - 128) * np.exp(rng.normal(0, 0.2)) + 128 + rng.normal(0, 25)
    return np.asarray(np.clip(lit, 0, 255), np.float32)


def anything(scene: Scene, rng: np.random.Generator) -> Values:
    """One of the surfaces above, parts of photos most often."""
    kinds = (patch, patch, cloth, plain, skin)
    return kinds[rng.integers(len(kinds))](scene, rng)


def _waves(rng: np.random.Generator) -> NDArray[np.floating]:
    """Smooth random values of about −1 to 1, `(P, P)`."""
    side = int(rng.integers(2, 6))
    coarse = rng.uniform(-1, 1, (side, side)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (PADDED, PADDED), interpolation=cv2.INTER_CUBIC))


def _grain(rng: np.random.Generator) -> NDArray[np.floating]:
    return noise((PADDED, PADDED), rng)


def _stripes(rng: np.random.Generator, periods: tuple[float, float]) -> NDArray[np.floating]:
    """A wave of −1 to 1 across the crop, of a random direction and a period in px."""
    angle, period = rng.uniform(0, np.pi), rng.uniform(*periods)
    y, x = np.mgrid[:PADDED, :PADDED]
    phase = rng.uniform(0, 2 * np.pi)
    return np.asarray(np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period + phase))
