"""Random changes of a face that keep its labels true.

Every change draws from the generator that is passed in, so an epoch can be repeated exactly. The
pictures are chips that `edge.crop` cut (`train.data.padded_crops`); here OpenCV only turns and
moves them, at about the scale they have, many times faster.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.geometry.affine import Matrix, compose, transform
from edge.geometry.similarity import similarity
from edge.keypoints import MIRROR_ORDER
from train.data.faces import SIDE, Faces

_REPAIR_REACH = 2  # px from the centre of a smoothed cross to its ends
_FAR_DEG = 65.0  # a head tilted by 20° on a photo turned by 45°
_FAR_SCALE = (0.4, 1.5)
_FAR_SHIFT = 0.3  # of the side; half a face's width
cv2.setNumThreads(1)  # the pictures are small, and the network needs the cores
_NOISE_BANK = 1 << 20  # values; drawing new ones would take as long as all other changes together


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far each change may go.

    Attributes:
        mirror: chance of a mirror image, 0–1.
        turn_deg: standard deviation of the turn in the plane, degrees.
        turn_far: chance of a turn drawn evenly from ±65° instead, 0–1.
        scale: standard deviation of the logarithm of the scale.
        frame_far: chance of a scale drawn evenly from 0.4–1.5 and a shift by up to 0.3 of the side
            instead, 0–1: how a careless crop frames a face.
        shift: standard deviation of the shift, as a share of the side.
        stretch: standard deviation of the logarithm of one side over the other, and of the shear:
            heads and lenses differ in proportion.
        contrast: standard deviation of the logarithm of the contrast.
        brightness: standard deviation of the added brightness, grey values.
        gamma: standard deviation of the logarithm of the exponent of the grey values.
        shade: chance of light that falls off across the face, 0–1.
        low_resolution: chance that the face was only 20–60 px wide, 0–1.
        compress: chance of JPEG artefacts, 0–1.
        blur: largest standard deviation of a Gaussian blur, px.
        noise: largest standard deviation of added noise, grey values.
        repairs: how many small crosses are smoothed at random places of the central 96×96 px. Where
            labels were once drawn on the pictures and painted out again, this keeps a network from
            looking for that.
        erase: chance that a rectangle of one grey value hides a part, 0–1.
    """

    mirror: float = 0.5
    turn_deg: float = 10.0
    turn_far: float = 0.0
    scale: float = 0.08
    frame_far: float = 0.0
    shift: float = 0.04
    stretch: float = 0.02
    contrast: float = 0.25
    brightness: float = 20.0
    gamma: float = 0.0
    shade: float = 0.0
    low_resolution: float = 0.0
    compress: float = 0.0
    blur: float = 1.2
    noise: float = 8.0
    repairs: int = 20
    erase: float = 0.2

    def moving_only(self) -> Augmentation:
        """These settings without what changes light or sharpness, or turns the face far."""
        kept = {name: getattr(self, name) for name in _MOVING}
        others = (field.name for field in fields(self) if field.name not in kept)
        return Augmentation(**kept, **dict.fromkeys(others, 0))


_MOVING = ("mirror", "turn_deg", "scale", "shift", "stretch")


def augment(
    image: NDArray[np.uint8],
    keypoints: NDArray[np.float32],
    settings: Augmentation,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Change one face at random.

    Args:
        image: uint8 `(S, S)`, grey; the network's crop is its central 96×96 px.
        keypoints: float32 `(K, 2)`, px of the picture, NaN where missing.
        settings: how far each change may go.
        rng: where chance comes from.

    Returns:
        The changed crop, uint8 `(96, 96)`, and its keypoints in its own px, float32 `(K, 2)`.
    """
    if rng.random() < settings.mirror:
        image, keypoints = mirror(image, keypoints)
    matrix = random_matrix(len(image), settings, rng)
    moved = transform(matrix, keypoints).astype(np.float32)
    face = warp(smooth_crosses(image, settings.repairs, rng), matrix)
    return change_light(face, settings, rng), moved


def change_faces(faces: Faces, settings: Augmentation, rng: np.random.Generator) -> Faces:
    """Each face once, changed at random, cut to its crop."""
    pairs = zip(faces.images, faces.keypoints, strict=True)
    images, keypoints = zip(*(augment(*pair, settings, rng) for pair in pairs), strict=True)
    return replace(faces, images=np.stack(images), keypoints=np.stack(keypoints))


def mirror(
    image: NDArray[np.uint8], keypoints: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The mirror image `(S, S)` and its keypoints `(15, 2)`: left and right change names too."""
    flipped = keypoints[list(MIRROR_ORDER)].copy()
    flipped[:, 0] = image.shape[1] - 1 - flipped[:, 0]
    return np.ascontiguousarray(image[:, ::-1]), flipped


def random_matrix(size: int, settings: Augmentation, rng: np.random.Generator) -> Matrix:
    """A random turn, scale, shift and stretch from a `size`×`size` px picture to a 96 px crop."""
    centre, middle = (size - 1) / 2, (SIDE - 1) / 2
    scale, shift = _random_framing(settings, rng)
    target = middle + shift
    far = rng.random() < settings.turn_far
    angle = rng.uniform(-_FAR_DEG, _FAR_DEG) if far else rng.normal(0, settings.turn_deg)
    turn = similarity(scale, angle, (centre, centre), (target[0], target[1]))
    longer, shear = np.exp(rng.normal(0, settings.stretch)), rng.normal(0, settings.stretch)
    linear = np.array([[longer, shear], [0, 1]])
    about_centre = np.array([centre, centre]) - linear @ [centre, centre]
    return compose(turn, np.column_stack([linear, about_centre]))


def _random_framing(
    settings: Augmentation, rng: np.random.Generator
) -> tuple[float, NDArray[np.float64]]:
    """A scale, and a shift `(2,)` in px of the crop."""
    if rng.random() >= settings.frame_far:
        scale = float(np.exp(rng.normal(0, settings.scale)))
        return scale, rng.normal(0, settings.shift * SIDE, size=2)
    scale = float(np.exp(rng.uniform(*np.log(_FAR_SCALE))))
    reach = _FAR_SHIFT * SIDE / max(scale, 1.0)  # so that some of a large face stays inside
    return scale, rng.uniform(-reach, reach, size=2)


def warp(image: NDArray[np.uint8], matrix: Matrix) -> NDArray[np.uint8]:
    """The 96×96 px crop that `matrix` makes of a picture; its border is repeated outside."""
    return np.asarray(
        cv2.warpAffine(
            image, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        ),
        dtype=np.uint8,
    )


def smooth_crosses(
    image: NDArray[np.uint8], count: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Smooth `count` small crosses at random places of a picture's central 96×96 px."""
    if count == 0:
        return image
    margin = (len(image) - SIDE) // 2
    return smooth_at(image, margin + rng.integers(0, SIDE, size=(count, 2)))


def smooth_at(image: NDArray[np.uint8], centres: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Replace small crosses by a blurred copy of what is there.

    Args:
        image: uint8 `(S, S)`.
        centres: int `(C, 2)`, x and y in px; moved inside where a cross would reach out.

    Returns:
        uint8 `(S, S)`.
    """
    inside = np.clip(centres, _REPAIR_REACH, len(image) - 1 - _REPAIR_REACH)
    x, y = inside[:, 0, None], inside[:, 1, None]
    reach = np.arange(-_REPAIR_REACH, _REPAIR_REACH + 1)
    blurred = cv2.blur(image, (3, 3))
    changed = image.copy()
    for rows, columns in ((y, x + reach), (y + reach, x)):
        changed[rows, columns] = blurred[rows, columns]
    return changed


def change_light(
    image: NDArray[np.uint8], settings: Augmentation, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Change resolution, light, sharpness and noise, perhaps hide a part; uint8 `(96, 96)`."""
    if rng.random() < settings.low_resolution:
        image = _shrink_and_enlarge(image, int(rng.integers(20, 60)))
    sigma = settings.blur * rng.random() ** 2
    if sigma > 0.2:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)
    if settings.gamma:
        exponent = np.exp(rng.normal(0, settings.gamma))
        table = 255 * (np.arange(256) / 255) ** exponent
        image = np.asarray(cv2.LUT(image, np.rint(table).astype(np.uint8)), np.uint8)
    face = image.astype(np.float32)
    middle = face.mean()
    face = (face - middle) * np.float32(np.exp(rng.normal(0, settings.contrast))) + middle
    face += np.float32(rng.normal(0, settings.brightness))
    if rng.random() < settings.shade:
        face *= _falling_light(rng)
    face += noise(face.shape, rng) * np.float32(settings.noise * rng.random() ** 2)
    if rng.random() < settings.erase:
        top, left = rng.integers(0, len(face), size=2)
        height, width = rng.integers(len(face) // 10, len(face) // 3, size=2)
        face[top : top + height, left : left + width] = rng.uniform(0, 255)
    changed = np.asarray(np.clip(np.rint(face), 0, 255), dtype=np.uint8)
    if rng.random() < settings.compress:
        return _compress(changed, int(rng.integers(20, 80)))
    return changed


def _shrink_and_enlarge(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, image.shape, interpolation=cv2.INTER_LINEAR), np.uint8)


def _falling_light(rng: np.random.Generator) -> NDArray[np.float32]:
    angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.8)
    ramp = np.linspace(-1, 1, SIDE, dtype=np.float32)
    slope = np.cos(angle) * ramp + np.sin(angle) * ramp[:, None]
    return np.asarray(1 - depth / 2 + depth / 2 * slope, dtype=np.float32)


def _compress(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    _, packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.uint8)


@cache
def _noise_bank() -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal(_NOISE_BANK, dtype=np.float32)


def noise(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Normal noise of deviation 1, float32 of that shape."""
    count = int(np.prod(shape))
    start = int(rng.integers(_NOISE_BANK - count))
    return _noise_bank()[start : start + count].reshape(shape)
