"""Random changes of a face that keep its labels true.

The crop is cut by `edge.crop`, as on the device. Every change draws from the generator that is
passed in, so an epoch can be repeated exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from edge.crop import cut
from edge.geometry import Matrix, compose, similarity, transform
from edge.keypoints import MIRROR_ORDER

_REPAIR_REACH = 2  # px from the centre of a smoothed cross to its ends


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far each change may go.

    Attributes:
        mirror: chance of a mirror image, 0–1.
        turn_deg: standard deviation of the turn in the plane, degrees.
        scale: standard deviation of the logarithm of the scale.
        shift: standard deviation of the shift, as a share of the side.
        contrast: standard deviation of the logarithm of the contrast.
        brightness: standard deviation of the added brightness, grey values.
        blur: largest radius of a Gaussian blur, px.
        noise: largest standard deviation of added noise, grey values.
        repairs: how many small crosses are smoothed at random places. Where labels were once drawn
            on the pictures and painted out again, this keeps a network from looking for that.
        erase: chance that a rectangle of one grey value hides a part, 0–1.
    """

    mirror: float = 0.5
    turn_deg: float = 10.0
    scale: float = 0.08
    shift: float = 0.04
    contrast: float = 0.25
    brightness: float = 20.0
    blur: float = 1.2
    noise: float = 8.0
    repairs: int = 20
    erase: float = 0.2


def augment(
    image: NDArray[np.uint8],
    keypoints: NDArray[np.float32],
    settings: Augmentation,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Change one face at random.

    Args:
        image: uint8 `(S, S)`, grey.
        keypoints: float32 `(K, 2)`, px, NaN where missing.
        settings: how far each change may go.
        rng: where chance comes from.

    Returns:
        The changed picture, uint8 `(S, S)`, and its keypoints, float32 `(K, 2)`.
    """
    if rng.random() < settings.mirror:
        image, keypoints = mirror(image, keypoints)
    matrix = random_matrix(len(image), settings, rng)
    moved = transform(matrix, keypoints).astype(np.float32)
    face = cut(smooth_crosses(image, settings.repairs, rng), matrix, len(image))
    return change_light(face, settings, rng), moved


def mirror(
    image: NDArray[np.uint8], keypoints: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The mirror image `(S, S)` and its keypoints `(15, 2)`: left and right change names too."""
    flipped = keypoints[list(MIRROR_ORDER)].copy()
    flipped[:, 0] = image.shape[1] - 1 - flipped[:, 0]
    return np.ascontiguousarray(image[:, ::-1]), flipped


def random_matrix(size: int, settings: Augmentation, rng: np.random.Generator) -> Matrix:
    """A random turn, scale and shift of a `size`×`size` px crop about its centre."""
    centre = ((size - 1) / 2, (size - 1) / 2)
    scale = float(np.exp(rng.normal(0, settings.scale)))
    target = rng.normal(centre, settings.shift * size)
    turn = similarity(scale, rng.normal(0, settings.turn_deg), centre, tuple(target))
    stretch = np.exp(rng.normal(0, settings.scale / 4))  # heads and lenses differ in proportion
    offset = centre[0] * (1 - stretch)
    return compose(turn, np.array([[stretch, 0, offset], [0, 1, 0]], dtype=np.float64))


def smooth_crosses(
    image: NDArray[np.uint8], count: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Replace `count` small crosses at random places by a blurred copy of what is there."""
    if count == 0:
        return image
    size = len(image)
    reach = np.arange(-_REPAIR_REACH, _REPAIR_REACH + 1)
    x, y = rng.integers(_REPAIR_REACH, size - _REPAIR_REACH, size=(2, count, 1))
    blurred = np.asarray(Image.fromarray(image).filter(ImageFilter.BoxBlur(1)))
    changed = image.copy()
    for rows, columns in ((y, x + reach), (y + reach, x)):
        changed[rows, columns] = blurred[rows, columns]
    return changed


def change_light(
    image: NDArray[np.uint8], settings: Augmentation, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Blur, change contrast, brightness and noise, perhaps hide a part; uint8 `(S, S)`."""
    radius = settings.blur * rng.random() ** 2
    face = np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius)), np.float32)
    middle = face.mean()
    face = (face - middle) * np.exp(rng.normal(0, settings.contrast)) + middle
    face += rng.normal(0, settings.brightness)
    face += rng.normal(0, settings.noise * rng.random() ** 2 + 1e-3, size=face.shape)
    if rng.random() < settings.erase:
        top, left = rng.integers(0, len(face), size=2)
        height, width = rng.integers(len(face) // 10, len(face) // 3, size=2)
        face[top : top + height, left : left + width] = rng.uniform(0, 255)
    return np.asarray(np.clip(np.rint(face), 0, 255), dtype=np.uint8)
