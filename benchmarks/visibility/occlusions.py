"""Synthetic occluders for the measurement, drawn by other code than those of the training.

Shapes are given in px of the mean face (`edge.geometry.face_frame`), surfaces are parts of photos
that were not trained on.

Legend: H, W height and width of a photo.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmarks.datasets.photos import Photo
from edge.geometry.affine import Matrix, scale_of, transform
from edge.geometry.face_frame import MEAN_FACE, fit_mean_face
from edge.image import Grey

Values = NDArray[np.float32]  # (H, W)
Points = NDArray[np.float64]

_HAND = np.array(
    [[-17, 90], [-18, 44], [-26, 22], [-42, 4], [-52, -14], [-46, -22], [-32, -8], [-22, -12],
     [-24, -60], [-18, -66], [-11, -62], [-8, -16], [-9, -72], [-2, -78], [5, -72], [5, -16],
     [8, -66], [14, -71], [20, -65], [17, -12], [23, -48], [29, -52], [34, -46], [28, 4], [24, 30],
     [17, 50], [17, 90]]
)  # fmt: skip
_MASK = np.array(
    [[10, 52], [32, 49], [48, 45], [64, 49], [86, 52], [88, 70], [80, 90], [60, 106], [36, 106],
     [16, 90], [8, 70]]
)  # fmt: skip
_EYES = np.array([[29.6, 37.1], [66.2, 36.8]])
_LENS = np.array([[-14, -8], [14, -8], [13, 3], [6, 10], [-6, 10], [-13, 3]])
_BAR = np.array([[36, 33], [60, 33], [60, 36.5], [36, 36.5]])
_TEMPLE = np.array([[0, 32], [14, 34], [14, 37], [0, 35]])
_CUP = np.array([[-20, -24], [20, -24], [16, 26], [-16, 26]])


@dataclass(frozen=True, slots=True)
class Material:
    """What faces are covered with.

    Attributes:
        others: photos without faces, uint8 `(H, W)` each.
        people: photos of other people.
    """

    others: list[Grey]
    people: list[Photo]


@dataclass(frozen=True, slots=True)
class Setting:
    """A photo that is to be covered.

    Attributes:
        photo: with its keypoints.
        pose: from the mean face to the photo.
        material: what it is covered with.
        rng: of shapes and places.
    """

    photo: Photo
    pose: Matrix
    material: Material
    rng: np.random.Generator

    def place(self, points: NDArray[np.floating]) -> Points:
        """Points `(N, 2)` of the mean face, px of the photo."""
        return transform(self.pose, np.asarray(points, np.float64))

    def fill(self, corners: ArrayLike) -> Values:
        """The opacity of a polygon `(N, 2)`, px of the mean face, with its corners rounded."""
        mask = np.zeros(self.photo.grey.shape, np.uint8)
        line = self.place(_smooth(np.asarray(corners, np.float64)))
        cv2.fillPoly(mask, [np.rint(line * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        return np.asarray(mask / np.float32(255), np.float32)

    def surface(self) -> Values:
        """A part of a photo without faces, turned and as large as this one."""
        other = self.material.others[self.rng.integers(len(self.material.others))]
        share = self.rng.uniform(0.2, 0.8)
        height, width = (max(8, int(side * share)) for side in other.shape)
        top, left = (int(self.rng.uniform(0, side * (1 - share))) for side in other.shape)
        part = np.rot90(other[top : top + height, left : left + width], int(self.rng.integers(4)))
        shape = self.photo.grey.shape[::-1]
        return cv2.resize(np.ascontiguousarray(part), shape).astype(np.float32)

    def plain(self, low: float, high: float) -> Values:
        """One grey value with a gradient."""
        tone = self.rng.uniform(low, high)
        ramp = np.linspace(-1, 1, self.photo.grey.shape[1]) * self.rng.uniform(-25, 25)
        return np.clip(np.broadcast_to(tone + ramp, self.photo.grey.shape), 0, 255).astype("f4")

    def skin(self) -> Values:
        """The cheek of somebody else, in about the light of this face."""
        person = self.material.people[self.rng.integers(len(self.material.people))]
        x, y, side = person.square[:3]
        left, top, size = int(x + side / 4), int(y + side * 0.55), max(4, int(side / 8))
        cheek = person.grey[max(top, 0) : top + size, max(left, 0) : left + size]
        if not cheek.size:
            return self.plain(60, 200)
        texture = cv2.resize(cheek, self.photo.grey.shape[::-1], interpolation=cv2.INTER_CUBIC)
        nose = np.rint(self.photo.keypoints[10]).astype(int)
        rows, columns = (np.clip(nose[i] + np.arange(-4, 5), 0, n - 1) for i, n in
                         ((1, len(texture)), (0, texture.shape[1])))  # fmt: skip
        tone = self.photo.grey[np.ix_(rows, columns)].mean() * np.exp(self.rng.normal(0, 0.1))
        lit = np.clip(texture + (tone - texture.mean()), 0, 255)
        return np.asarray(lit, np.float32)

    def target(self) -> Points:
        """A place near a random keypoint, px of the mean face `(2,)`."""
        row = self.rng.integers(len(MEAN_FACE))
        return np.asarray(MEAN_FACE[row] + self.rng.normal(0, 7, 2))


Covering = tuple[Values, Values]  # opacity, and grey values


def hand(s: Setting) -> Covering:
    """An open hand, from below or from a side."""
    shape = _HAND * s.rng.uniform(0.75, 1.05) * [s.rng.choice([-1, 1]), 1]
    shape = _turned(shape - [0, s.rng.uniform(-60, 30)], s.rng.normal(0, 0.8)) + s.target()
    opacity, grey = s.fill(shape), s.skin()
    rim = opacity - cv2.erode(opacity, np.ones((3, 3)))
    return opacity, np.asarray(grey * (1 - 0.4 * cv2.GaussianBlur(rim, (0, 0), 1.0)), np.float32)


def mask(s: Setting) -> Covering:
    """A mask over nose and mouth, with pleats, printed or plain."""
    opacity = s.fill(_MASK + s.rng.normal(0, 1.5, _MASK.shape) + [0, s.rng.uniform(-3, 3)])
    grey = s.surface() if s.rng.random() < 0.3 else s.plain(20, 245)
    rows = np.arange(len(grey))[:, None] * 2 * np.pi / (8 * scale_of(s.pose))
    return opacity, np.clip(grey + s.rng.uniform(0, 12) * np.sin(rows), 0, 255).astype(np.float32)


def sunglasses(s: Setting) -> Covering:
    """Dark glasses, or mirroring ones."""
    shape = _LENS * np.exp(s.rng.normal(0, 0.12, 2))
    opacity = np.maximum(*(s.fill(shape + eye + np.array([0, 2])) for eye in _EYES))
    bar = s.fill(_BAR)
    sides = [s.fill(_TEMPLE + np.array([x, 0])) for x in (2, 80)]
    grey = s.plain(5, 60) if s.rng.random() < 0.7 else 0.5 * s.surface()
    opacity = np.maximum.reduce([opacity, bar, *sides])
    return opacity * np.float32(s.rng.uniform(0.88, 1)), grey


def photo_part(s: Setting) -> Covering:
    """A part of another photo, rectangular or oval."""
    half = np.exp(s.rng.uniform(np.log(9), np.log(38), 2))
    angles = np.linspace(0, 2 * np.pi, 4 if s.rng.random() < 0.5 else 16, endpoint=False)
    shape = np.column_stack([np.cos(angles), np.sin(angles)]) * half * 1.3
    return s.fill(_turned(shape, s.rng.uniform(0, np.pi)) + s.target()), s.surface()


def cup(s: Setting) -> Covering:
    """A cup before the mouth, printed or plain."""
    shape = _turned(_CUP * s.rng.uniform(0.8, 1.3), s.rng.normal(0, 0.25))
    place = np.array([48, 80]) + s.rng.normal(0, 9, 2)
    opacity = s.fill(shape + place)
    return opacity, s.surface() if s.rng.random() < 0.5 else s.plain(10, 250)


def person(s: Setting) -> Covering:
    """The head of somebody else in front, with its neck."""
    other = s.material.people[s.rng.integers(len(s.material.people))]
    pose = fit_mean_face(other.keypoints)
    side = s.rng.choice([-1, 1])
    shift = np.array([side * s.rng.uniform(25, 75), s.rng.uniform(-10, 60)])
    if pose is None:
        return photo_part(s)
    corners = np.array([[0, 0], [96, 0], [0, 96]], np.float64)
    matrix = cv2.getAffineTransform(
        transform(pose, corners).astype(np.float32), s.place(corners + shift).astype(np.float32)
    )
    grey = cv2.warpAffine(
        other.grey, matrix, s.photo.grey.shape[::-1], borderMode=cv2.BORDER_REPLICATE
    )
    angles = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    head = np.column_stack([46 * np.cos(angles), 62 * np.sin(angles)]) + 48 + shift
    neck = np.array([[20, 90], [76, 90], [90, 250], [6, 250]]) + shift
    return np.maximum(s.fill(head), s.fill(neck)), grey.astype(np.float32)


def hair(s: Setting) -> Covering:
    """Hair that falls over one side of the face."""
    side = s.rng.choice([-1, 1])
    x = np.array([60, 60, s.rng.uniform(4, 34), s.rng.uniform(14, 40), s.rng.uniform(0, 24)])
    shape = np.column_stack([48 + side * x, [120, -60, -60, 20, s.rng.uniform(50, 100)]])
    grey = s.plain(10, 160)
    strands = np.cumsum(s.rng.normal(0, 1, (grey.shape[1],)))
    strands -= np.convolve(strands, np.ones(9) / 9, "same")
    return s.fill(shape), np.clip(grey + 14 * strands, 0, 255).astype(np.float32)


def scarf(s: Setting) -> Covering:
    """A scarf over all below the nose or the mouth."""
    top = s.rng.uniform(48, 86)
    shape = [
        [-30, top + 8],
        [48, top + s.rng.uniform(-6, 6)],
        [126, top + 8],
        [126, 230],
        [-30, 230],
    ]
    return s.fill(np.array(shape)), s.surface() if s.rng.random() < 0.5 else s.plain(10, 240)


def leaves(s: Setting) -> Covering:
    """Leaves of a bush between camera and face."""
    opacity = np.zeros(s.photo.grey.shape, np.float32)
    grey, middle = s.plain(20, 120), s.target()
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    for _ in range(int(s.rng.integers(8, 30))):
        length = s.rng.uniform(6, 16)
        leaf = np.column_stack([length * np.cos(angles), 0.4 * length * np.sin(angles)])
        place = middle + s.rng.normal(0, 18, 2)
        own = s.fill(_turned(leaf, s.rng.uniform(0, np.pi)) + place)
        opacity = np.maximum(opacity, own)
        grey = grey + (s.rng.uniform(10, 200) - grey) * own
    return opacity, np.asarray(grey, np.float32)


def wheel(s: Setting) -> Covering:
    """A part of a steering wheel: a thick dark ring with a spoke."""
    radius, width = s.rng.uniform(50, 110), s.rng.uniform(8, 16)
    angle = s.rng.uniform(0, 2 * np.pi)
    middle = s.target() + radius * np.array([np.cos(angle), np.sin(angle)])
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    ring = np.column_stack([np.cos(angles), np.sin(angles)])
    opacity = s.fill(middle + (radius + width / 2) * ring)
    opacity = opacity - s.fill(middle + (radius - width / 2) * ring)
    return np.clip(opacity, 0, 1), s.plain(5, 90)


# Each with whether the training has such a kind, if drawn otherwise.
KINDS: dict[str, tuple[Callable[[Setting], Covering], bool]] = {
    "hand": (hand, True),
    "mask": (mask, True),
    "sunglasses": (sunglasses, True),
    "photo": (photo_part, True),
    "cup": (cup, True),
    "person": (person, True),
    "hair": (hair, True),
    "scarf": (scarf, True),
    "leaves": (leaves, False),
    "wheel": (wheel, False),
}


def _turned(shape: NDArray[np.floating], angle: float) -> Points:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.asarray(shape @ np.array([[cos, sin], [-sin, cos]]))


def _smooth(corners: Points) -> Points:
    """A closed polygon with its corners cut off."""
    following = np.roll(corners, -1, axis=0)
    cut = [0.8 * corners + 0.2 * following, 0.2 * corners + 0.8 * following]
    return np.stack(cut, axis=1).reshape(-1, 2)
