"""Geometric and photometric augmentation of faces and their keypoints.

All random numbers come from the generator passed in, in a fixed order, so that an epoch is
reproducible. The images are padded crops cut by `edge.crop` (`train.data.padded_crops`); OpenCV
warps them at about their own scale, where its results are equivalent and many times faster.
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

cv2.setNumThreads(1)  # the images are small, and the network needs the cores
_CROSS_RADIUS = 2  # px from the centre of a smoothed cross to its ends
_MAX_ROTATION_DEG = 65.0  # a head tilted by 20° in a photo rotated by 45°
_WIDE_SCALE = (0.4, 1.5)
_WIDE_SHIFT = 0.3  # of the side; half a face's width
_NOISE_SAMPLES = 1 << 20  # drawn once: new ones would take as long as all other augmentation
_MIN_BLUR = 0.2  # px; a Gaussian of a smaller deviation changes nothing
_LOW_RESOLUTION_SIDES = (20, 60)  # px
_JPEG_QUALITIES = (20, 80)
_SHADE_DEPTHS = (0.2, 0.8)  # difference of the light between the two sides


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Probabilities and ranges of the random changes. A probability is in 0–1.

    Attributes:
        mirror: probability of a horizontal flip.
        turn_deg: standard deviation of the rotation in the plane, degrees.
        turn_far: probability of a uniform rotation within ±65° instead.
        scale: standard deviation of the logarithm of the scale.
        frame_far: probability of a log-uniform scale of 0.4–1.5 and a uniform shift of up to 0.3 of
            the side instead, as in a carelessly framed crop.
        shift: standard deviation of the translation, in sides of the crop.
        stretch: standard deviation of the logarithm of the aspect ratio, and of the shear, since
            heads and lenses differ in proportion.
        contrast: standard deviation of the logarithm of the contrast.
        brightness: standard deviation of the added brightness, grey values.
        gamma: standard deviation of the logarithm of the gamma exponent.
        shade: probability of a linear brightness gradient across the face.
        low_resolution: probability of reducing the face to 20–60 px and enlarging it again.
        compress: probability of JPEG artefacts.
        blur: maximum standard deviation of a Gaussian blur, px.
        noise: maximum standard deviation of Gaussian noise, grey values.
        repairs: number of small crosses smoothed at random places of the central 96×96 px. Where
            marks at the labels were retouched out of the images, this keeps a network from
            locating the retouched pixels (`train.keypoints.leakage_probe`).
        erase: probability of hiding a rectangle by one grey value (random erasing).
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
        """These settings with geometric changes only, without the wide rotations and framings."""
        geometric = {name: getattr(self, name) for name in _GEOMETRIC}
        photometric = (field.name for field in fields(self) if field.name not in geometric)
        return Augmentation(**geometric, **dict.fromkeys(photometric, 0))


_GEOMETRIC = ("mirror", "turn_deg", "scale", "shift", "stretch")


def augment(
    image: NDArray[np.uint8],
    keypoints: NDArray[np.float32],
    settings: Augmentation,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Augment one face.

    Args:
        image: padded crop, uint8 `(S, S)`, grey; the network's crop is its central 96×96 px.
        keypoints: float32 `(K, 2)`, px of the padded crop, NaN where missing.
        settings: probabilities and ranges.
        rng: random generator.

    Returns:
        The augmented crop, uint8 `(96, 96)`, and its keypoints, px of that crop, float32 `(K, 2)`.
    """
    if rng.random() < settings.mirror:
        image, keypoints = mirror(image, keypoints)
    matrix = random_matrix(len(image), settings, rng)
    moved = transform(matrix, keypoints).astype(np.float32)
    face = warp(smooth_crosses(image, settings.repairs, rng), matrix)
    return change_light(face, settings, rng), moved


def augment_faces(faces: Faces, settings: Augmentation, rng: np.random.Generator) -> Faces:
    """Augment each face once; the result has crops of 96×96 px."""
    pairs = zip(faces.images, faces.keypoints, strict=True)
    images, keypoints = zip(*(augment(*pair, settings, rng) for pair in pairs), strict=True)
    return replace(faces, images=np.stack(images), keypoints=np.stack(keypoints))


def mirror(
    image: NDArray[np.uint8], keypoints: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Flip an image `(S, S)` and its keypoints `(15, 2)`; left and right exchange names."""
    flipped = keypoints[list(MIRROR_ORDER)].copy()
    flipped[:, 0] = image.shape[1] - 1 - flipped[:, 0]
    return np.ascontiguousarray(image[:, ::-1]), flipped


def random_matrix(size: int, settings: Augmentation, rng: np.random.Generator) -> Matrix:
    """A random affine transform from a `size`×`size` px image to a 96×96 px crop."""
    centre = (size - 1) / 2
    scale, shift = _random_framing(settings, rng)
    target = (SIDE - 1) / 2 + shift
    if rng.random() < settings.turn_far:
        angle = rng.uniform(-_MAX_ROTATION_DEG, _MAX_ROTATION_DEG)
    else:
        angle = rng.normal(0, settings.turn_deg)
    rotation = similarity(scale, angle, (centre, centre), (target[0], target[1]))
    aspect = np.exp(rng.normal(0, settings.stretch))
    shear = rng.normal(0, settings.stretch)
    linear = np.array([[aspect, shear], [0, 1]])
    offset = np.array([centre, centre]) - linear @ [centre, centre]
    return compose(rotation, np.column_stack([linear, offset]))


def _random_framing(
    settings: Augmentation, rng: np.random.Generator
) -> tuple[float, NDArray[np.float64]]:
    """A scale, and a translation `(2,)` in px of the crop."""
    if rng.random() >= settings.frame_far:
        scale = float(np.exp(rng.normal(0, settings.scale)))
        return scale, rng.normal(0, settings.shift * SIDE, size=2)
    scale = float(np.exp(rng.uniform(*np.log(_WIDE_SCALE))))
    limit = _WIDE_SHIFT * SIDE / max(scale, 1.0)  # part of a large face stays inside
    return scale, rng.uniform(-limit, limit, size=2)


def warp(image: NDArray[np.uint8], matrix: Matrix) -> NDArray[np.uint8]:
    """Warp an image `(S, S)` to the 96×96 px crop; outside it the border is replicated."""
    return np.asarray(
        cv2.warpAffine(
            image, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        ),
        dtype=np.uint8,
    )


def smooth_crosses(
    image: NDArray[np.uint8], count: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Smooth `count` small crosses at random places of an image's central 96×96 px."""
    if count == 0:
        return image
    margin = (len(image) - SIDE) // 2
    return smooth_at(image, margin + rng.integers(0, SIDE, size=(count, 2)))


def smooth_at(image: NDArray[np.uint8], centres: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Blur small crosses of an image.

    Args:
        image: uint8 `(S, S)`.
        centres: int `(C, 2)`, x and y in px; clipped so that the crosses are inside the image.

    Returns:
        uint8 `(S, S)`.
    """
    inside = np.clip(centres, _CROSS_RADIUS, len(image) - 1 - _CROSS_RADIUS)
    x, y = inside[:, 0, None], inside[:, 1, None]
    arm = np.arange(-_CROSS_RADIUS, _CROSS_RADIUS + 1)
    blurred = cv2.blur(image, (3, 3))
    smoothed = image.copy()
    for rows, columns in ((y, x + arm), (y + arm, x)):
        smoothed[rows, columns] = blurred[rows, columns]
    return smoothed


def change_light(
    image: NDArray[np.uint8], settings: Augmentation, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Photometric augmentation of a crop `(96, 96)`: resolution, light, noise, erasing, JPEG."""
    if rng.random() < settings.low_resolution:
        image = _reduce_resolution(image, int(rng.integers(*_LOW_RESOLUTION_SIDES)))
    sigma = settings.blur * rng.random() ** 2
    if sigma > _MIN_BLUR:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)
    if settings.gamma:
        image = _random_gamma(image, settings, rng)
    face = _random_contrast(image, settings, rng)
    if rng.random() < settings.shade:
        face *= _brightness_gradient(rng)
    face += noise(face.shape, rng) * np.float32(settings.noise * rng.random() ** 2)
    if rng.random() < settings.erase:
        _erase_rectangle(face, rng)
    rounded = np.asarray(np.clip(np.rint(face), 0, 255), dtype=np.uint8)
    if rng.random() < settings.compress:
        return compress(rounded, int(rng.integers(*_JPEG_QUALITIES)))
    return rounded


def compress(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Encode a grey image `(H, W)` as JPEG of a quality of 0–100 and decode it."""
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)


def _reduce_resolution(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    reduced = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(reduced, image.shape, interpolation=cv2.INTER_LINEAR), np.uint8)


def _random_gamma(
    image: NDArray[np.uint8], settings: Augmentation, rng: np.random.Generator
) -> NDArray[np.uint8]:
    exponent = np.exp(rng.normal(0, settings.gamma))
    table = 255 * (np.arange(256) / 255) ** exponent
    return np.asarray(cv2.LUT(image, np.rint(table).astype(np.uint8)), np.uint8)


def _random_contrast(
    image: NDArray[np.uint8], settings: Augmentation, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Contrast about the mean grey value, and brightness."""
    face = image.astype(np.float32)
    mean = face.mean()
    face = (face - mean) * np.float32(np.exp(rng.normal(0, settings.contrast))) + mean
    brightness = np.float32(rng.normal(0, settings.brightness))
    return np.asarray(face + brightness, np.float32)


def _brightness_gradient(rng: np.random.Generator) -> NDArray[np.float32]:
    """Factors `(96, 96)` that decrease linearly in a random direction."""
    angle = rng.uniform(0, 2 * np.pi)
    depth = rng.uniform(*_SHADE_DEPTHS)
    ramp = np.linspace(-1, 1, SIDE, dtype=np.float32)
    slope = np.cos(angle) * ramp + np.sin(angle) * ramp[:, None]
    return np.asarray(1 - depth / 2 + depth / 2 * slope, dtype=np.float32)


def _erase_rectangle(face: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Fill a rectangle of a tenth to a third of the side with one grey value, in place."""
    top, left = rng.integers(0, len(face), size=2)
    height, width = rng.integers(len(face) // 10, len(face) // 3, size=2)
    face[top : top + height, left : left + width] = rng.uniform(0, 255)


@cache
def _noise_samples() -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal(_NOISE_SAMPLES, dtype=np.float32)


def noise(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Standard normal noise, float32 of a given shape, from a fixed sample at a random offset."""
    count = int(np.prod(shape))
    start = int(rng.integers(_NOISE_SAMPLES - count))
    return _noise_samples()[start : start + count].reshape(shape)
