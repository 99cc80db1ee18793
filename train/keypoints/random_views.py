"""Random views of padded crops: geometry, light, occlusion and targets, drawn on the host.

The draws are independent of the device, so that a resumed training sees the same views on any
machine; `train.keypoints.device_views` renders them.

Legend: B crops of a batch, P side of a padded crop, S side of a crop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.geometry.points68 import MIRROR_ORDER_68
from edge.keypoints import MIRROR_ORDER
from train.data.faces import SIDE
from train.data.labelled_faces import MARGIN, PADDED, LabelledFaces

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Names = NDArray[np.str_]

# Share of each category in a batch.
SHARES = {
    "face": 0.58,
    "turned": 0.15,  # synthetic head rotations
    "boxed": 0.07,  # faces without points
    "none": 0.12,  # no face
    "upside": 0.04,  # faces rotated too far; negatives
    "part": 0.04,  # parts of faces; negatives
}
_POSED = ("face", "turned")  # the categories whose points are targets
_SET_WEIGHTS = {"us_congress_pre1929": 0.6}  # a quarter are drawings; many are 40 px wide
_MISALIGNED_SHARE = 0.14  # of crops framed as a poor detector does
_CUT_OFF_SHARE = 0.04  # of crops, on each side
# Up to the first roll a crop is a face; from the second it is none; between, the score is masked.
_MAX_FACE_ROLL_DEG = 75.0
_MIN_NEGATIVE_ROLL_DEG = 100.0
_MAX_POINTS_ROLL_DEG = 90.0  # beyond, points are masked


@dataclass(frozen=True, slots=True)
class Views:
    """The parameters of the crops of a batch.

    Attributes:
        rows: int64 `(B,)`, rows of the pool.
        to_padded: float32 `(B, 2, 3)`, from px of the crop to px of the padded crop.
        light: float32 `(B, 8)`: gamma, contrast, brightness, strength and direction (x, y) of the
            shade, share of the blur (negative: sharpening), standard deviation of the noise.
        occlusion: float32 `(B, 6)`: centre x, y and half width and height of the occluding
            rectangle, px; its grey value; 1 to fill it with another image instead, else 0.
        quantisation: float32 `(B,)`, factor of JPEG's quantisation table.
        window: float32 `(B, 4)`: left, top, right and bottom of the part of the padded crop that
            belongs to the photo, px; beyond it the border pixels are repeated.
        targets: float32 `(B, 167)`, as `train.keypoints.joint_loss` expects them.
    """

    rows: NDArray[np.int64]
    to_padded: Floats
    light: Floats
    occlusion: Floats
    quantisation: Floats
    window: Floats
    targets: Floats


@dataclass(frozen=True, slots=True)
class _Draw:
    """Per crop: row of the pool, category, whether it is mirrored, and its roll in degrees."""

    rows: NDArray[np.int64]
    category: Names
    mirrored: NDArray[np.bool_]
    roll_deg: Doubles


class ViewSource:
    """Draws views of a pool of padded crops."""

    def __init__(self, faces: LabelledFaces) -> None:
        """Sort the pool into categories."""
        labelled = faces.labelled
        posed = labelled & ~faces.turned
        masks = {
            "face": posed,
            "turned": labelled & faces.turned,
            "boxed": faces.is_face & ~labelled,
            "none": ~faces.is_face,
            "upside": posed,
            "part": posed,
        }
        weights = np.array([_SET_WEIGHTS.get(str(source), 1.0) for source in faces.sources])
        self._rows = {name: np.flatnonzero(mask) for name, mask in masks.items() if mask.any()}
        self._weights = {
            name: weights[rows] / weights[rows].sum() for name, rows in self._rows.items()
        }
        self._points = np.concatenate([faces.keypoints, faces.points68], axis=1)
        self._roll_deg = faces.roll_deg
        self._is_face = faces.is_face
        keypoints = len(MIRROR_ORDER)
        self._mirror_order = np.array([*MIRROR_ORDER, *(keypoints + i for i in MIRROR_ORDER_68)])

    def draw(self, count: int, rng: np.random.Generator, strength: float = 1.0) -> Views:
        """Draw `count` views, in random order.

        Args:
            count: number of views.
            rng: source of randomness.
            strength: of the changes, 0–1; the categories and their shares do not depend on it.
        """
        rows, category = self._draw_rows(count, rng)
        mirrored = rng.random(count) < 0.5
        draw = _Draw(rows, category, mirrored, _draw_roll(category, rng, strength))
        matrix = _draw_matrices(draw, self._roll_deg[rows], rng, strength)
        return Views(
            rows=rows,
            to_padded=_invert(matrix),
            light=_draw_light(count, rng, strength),
            occlusion=_draw_occlusion(count, rng, strength),
            quantisation=np.exp(rng.uniform(np.log(0.5), np.log(4), count)).astype(np.float32),
            window=_draw_window(count, rng),
            targets=self._targets(draw, matrix),
        )

    def _draw_rows(self, count: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], Names]:
        """Rows of the pool and their categories, `(B,)` each."""
        names = list(self._rows)
        shares = np.array([SHARES[name] for name in names])
        category = rng.choice(len(names), size=count, p=shares / shares.sum())
        rows = np.empty(count, np.int64)
        for number, name in enumerate(names):
            mask = category == number
            rows[mask] = rng.choice(self._rows[name], size=mask.sum(), p=self._weights[name])
        return rows, np.array(names)[category]

    def _targets(self, draw: _Draw, matrix: Doubles) -> Floats:
        """Points in px of the crops and face scores `(B, 167)`, NaN where masked."""
        points = self._points[draw.rows]
        points = np.where(draw.mirrored[:, None, None], points[:, self._mirror_order], points)
        moved = points @ matrix[:, :, :2].swapaxes(1, 2) + matrix[:, None, :, 2]
        posed = np.isin(draw.category, _POSED)
        moved[~posed | (np.abs(draw.roll_deg) > _MAX_POINTS_ROLL_DEG)] = np.nan
        negative = np.isin(draw.category, ["upside", "part"])
        score = np.where(negative, 0.0, self._is_face[draw.rows])
        score[posed & (np.abs(draw.roll_deg) > _MAX_FACE_ROLL_DEG)] = np.nan
        return np.column_stack([moved.reshape(len(points), -1), score]).astype(np.float32)


def _draw_roll(category: Names, rng: np.random.Generator, strength: float) -> Doubles:
    """The roll of each face in its crop, degrees."""
    count = len(category)
    selector = rng.random(count) / max(strength, 1e-9)
    roll = rng.normal(0, 5 + 5 * strength, count)
    roll = np.where(selector < 0.35, rng.uniform(-40, 40, count), roll)
    roll = np.where(selector < 0.08, rng.uniform(-90, 90, count), roll)
    roll = np.where(category == "none", rng.uniform(-180, 180, count), roll)
    rotated = rng.uniform(_MIN_NEGATIVE_ROLL_DEG, 360 - _MIN_NEGATIVE_ROLL_DEG, count)
    return np.where(category == "upside", rotated, roll)


def _draw_matrices(
    draw: _Draw, own_roll_deg: Floats, rng: np.random.Generator, strength: float
) -> Doubles:
    """From px of the padded crop to px of the crop, `(B, 2, 3)`."""
    count = len(draw.rows)
    scale, shift = _draw_frame(draw.category, rng, strength)
    # A mirror image reverses the roll that the face has in the padded crop.
    angle = np.radians(draw.roll_deg - np.where(draw.mirrored, -1, 1) * own_roll_deg)
    stretch = np.exp(rng.normal(0, 0.035, count))
    shear = rng.normal(0, 0.03, count)
    distortion = np.array([[stretch, shear], [np.zeros(count), 1 / stretch]]).transpose(2, 0, 1)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = scale[:, None, None] * rotation.transpose(2, 0, 1) @ distortion
    linear[:, :, 0] *= np.where(draw.mirrored, -1, 1)[:, None]
    offset = (SIDE - 1) / 2 + shift - linear @ np.full(2, (PADDED - 1) / 2)
    return np.concatenate([linear, offset[:, :, None]], axis=2)


def _draw_frame(
    category: Names, rng: np.random.Generator, strength: float
) -> tuple[Doubles, Doubles]:
    """The scale `(B,)` and the shift of the centre, px `(B, 2)`."""
    count = len(category)
    misaligned = rng.random(count) < _MISALIGNED_SHARE * strength
    scale = np.exp(rng.normal(0, 0.05 + 0.06 * strength, count))
    scale = np.where(misaligned, rng.uniform(0.45, 1.5, count), scale)
    scale = np.where(category == "none", np.exp(rng.uniform(-0.6, 0.7, count)), scale)
    shift = rng.normal(0, 0.02 + 0.025 * strength, (count, 2))
    shift = np.where(misaligned[:, None], rng.uniform(-0.28, 0.28, (count, 2)), shift)
    is_part = category == "part"
    enlarged = is_part & (rng.random(count) < 0.4)
    scale = np.where(enlarged, rng.uniform(3, 6, count), scale)
    direction = rng.uniform(0, 2 * np.pi, count)
    length = rng.uniform(0.75, 1.05, count) * np.where(enlarged, 0.4 * scale, 1.0)
    outside = np.column_stack([np.cos(direction), np.sin(direction)]) * length[:, None]
    return scale, np.where(is_part[:, None], outside, shift) * SIDE


def _invert(matrix: Doubles) -> Floats:
    """The inverse matrices, `(B, 2, 3)`."""
    linear = np.linalg.inv(matrix[:, :, :2])
    offset = -linear @ matrix[:, :, 2:]
    return np.concatenate([linear, offset], axis=2).astype(np.float32)


def _draw_light(count: int, rng: np.random.Generator, strength: float) -> Floats:
    """`Views.light`, `(B, 8)`."""
    selector = rng.random((3, count))
    dark = selector[0] < 0.06 * strength
    gamma = np.exp(strength * rng.normal(0, 0.3, count))
    contrast = np.exp(strength * rng.normal(0, 0.25, count))
    contrast *= np.where(dark, rng.uniform(0.1, 0.4, count), 1)
    brightness = strength * rng.normal(0, 18, count) - np.where(dark, 70, 0)
    shade = np.abs(rng.normal(0, 0.5, count)) * (selector[0] > 1 - 0.3 * strength)
    direction = rng.uniform(0, 2 * np.pi, count)
    blur = np.where(selector[1] < 0.35 * strength, rng.uniform(0, 1, count), 0)
    blur = np.where(selector[1] > 1 - 0.15 * strength, -rng.uniform(0, 0.7, count), blur)
    strong_noise = selector[2] < 0.2 * strength
    noise = np.where(strong_noise, rng.uniform(4, 16, count), rng.uniform(0, 4, count))
    columns = [gamma, contrast, brightness, shade, np.cos(direction), np.sin(direction)]
    return np.column_stack([*columns, blur, noise]).astype(np.float32)


def _draw_occlusion(count: int, rng: np.random.Generator, strength: float) -> Floats:
    """`Views.occlusion`, `(B, 6)`."""
    selector = rng.random(count)
    centre = rng.uniform(0, SIDE, (count, 2))
    half = rng.uniform(4, 24, (count, 2)) * (selector < 0.25 * strength)[:, None]
    below_nose = (selector > 1 - 0.05 * strength)[:, None]  # like a face mask or a scarf
    centre = np.where(below_nose, rng.normal((48, 78), 3, (count, 2)), centre)
    half = np.where(below_nose, rng.uniform((24, 14), (34, 20), (count, 2)), half)
    grey = rng.uniform(0, 255, count)
    is_image = rng.random(count) < 0.5
    return np.column_stack([centre, half, grey, is_image]).astype(np.float32)


def _draw_window(count: int, rng: np.random.Generator) -> Floats:
    """`Views.window`, `(B, 4)`: some faces are cut off by the photo's border."""
    inset = MARGIN + rng.uniform(-0.1, 0.25, (count, 4)) * SIDE
    inset = np.where(rng.random((count, 4)) < _CUT_OFF_SHARE, inset, 0.0)
    high = PADDED - 1 - inset[:, 2:]
    return np.column_stack([inset[:, :2], high]).astype(np.float32)
