"""The random numbers of training canvases: which photos they show, where, how large and how rolled.

Everything is drawn for many canvases at once, on the training device.

Legend: N canvases, K pasted images of a canvas; a canvas has four quadrants.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from train.detector.pool import HEIGHT, WIDTH, DevicePool, X, Y

CANVAS = 320  # px; a multiple of 32 at which cells of stride 32 see more than padding
MIN_FACE = 8.0  # px; smaller faces are ignored in training
WINDOW = 144  # px, side of the part of a canvas that a pasted image may cover
PASTED = 6  # most images pasted on a canvas
QUADRANTS = 4
MAX_LEVEL = 4

# Probabilities of the layouts; mosaics have the most faces, backgrounds alone have none and teach
# what is not a face.
_MOSAIC_RATE = 0.32
_SINGLE_RATE = 0.46
_PASTE_RATE = 0.6  # of the canvases have images pasted over them
_FACE_RATE = 0.75  # of the pasted images show a face; the rest, so that borders do not mark one
_SOFT_RATE = 0.6  # of the pasted images are ovals with soft borders
_PLAIN_RATE = 0.06  # of the backgrounds are of one grey value, as in studio photos
_ANY_ROLL_RATE = 0.5  # of the rotations are uniform over all that are learnt
_ROLL_DEG = 12.0  # standard deviation of the others
_MIRROR_RATE = 0.5
_LOW_RESOLUTION_RATE = 0.2  # of the canvases are drawn from a mipmap level too coarse by one

_MIN_DRAWN_FACE = MIN_FACE * 1.2  # px; a little more, so that rounding does not make it too small
_MAX_FACE = 310.0  # px; such a face fills the picture
_BEYOND_BORDER = 0.35  # share of a face's size by which its centre keeps away from the borders
_MAX_MOSAIC_FACE = 150.0
_MAX_PASTED_FACE = 80.0
_SMALL_FACE = 48.0  # px; half of the sizes are drawn below it: small faces are the hardest
_SMALL_FACE_RATE = 0.5
_MAX_SCALE = 2.5  # larger faces would consist of interpolated pixels
_PASTED_CONTEXT = (1.15, 2.0)  # half sides of a pasted image, in half sides of its face
_PATCH = (7.0, 70.0)  # px, half sides of a pasted image without a face


@dataclass(frozen=True, slots=True)
class Placement:
    """Photos placed on canvases by similarities; all tensors have the same leading shape.

    Attributes:
        photos: int64, rows of the pool.
        active: bool, whether the photo is drawn at all.
        scale: canvas px per photo px.
        angle: rotation, radians clockwise as seen.
        mirror: 1, or −1 for a mirrored photo.
        centre: `(…, 2)`, px of the photo.
        target: `(…, 2)`, where the centre comes to lie, px of the canvas.
        level: int64, of the mipmap.
    """

    photos: Tensor
    active: Tensor
    scale: Tensor
    angle: Tensor
    mirror: Tensor
    centre: Tensor
    target: Tensor
    level: Tensor

    def to_photo(self) -> Tensor:
        """The matrices from the canvas to the photo, `(…, 2, 3)`."""
        cos, sin = self.angle.cos() / self.scale, self.angle.sin() / self.scale
        first = torch.stack([cos * self.mirror, sin * self.mirror], -1)
        second = torch.stack([-sin, cos], -1)
        linear = torch.stack([first, second], -2)
        offset = self.centre - (linear @ self.target[..., None])[..., 0]
        return torch.cat([linear, offset[..., None]], -1)

    def take(self, index: slice | Tensor) -> Placement:
        """The placements of some canvases."""
        return Placement(*(getattr(self, field.name)[index] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Draws:
    """What N canvases show, from back to front.

    Attributes:
        background: of shape `(N,)`; its photos are mirrored beyond their borders.
        plain: grey value `(N,)` of backgrounds without a photo; negative for the others.
        base: of shape `(N, 4)`, for each quadrant.
        is_mosaic: bool `(N,)`; without, all quadrants belong to one photo.
        pasted: of shape `(N, K)`.
        half_sides: `(N, K, 2)`, of the pasted images, px of the canvas.
        is_soft: bool `(N, K)`, whether a pasted image is an oval with soft borders.
        has_face: bool `(N, K)`.
    """

    background: Placement
    plain: Tensor
    base: Placement
    is_mosaic: Tensor
    pasted: Placement
    half_sides: Tensor
    is_soft: Tensor
    has_face: Tensor

    def take(self, index: slice) -> Draws:
        """Some of the canvases."""
        parts = (getattr(self, field.name) for field in fields(self))
        return Draws(*(p.take(index) if isinstance(p, Placement) else p[index] for p in parts))


@dataclass(frozen=True, slots=True)
class Weights:
    """Relative frequencies `(P,)` with which the photos of the pool are drawn.

    Attributes:
        single: for a canvas of its own.
        mosaic: for a quadrant.
        pasted: for a face cut out.
        negative: for a background or a patch without a face.
    """

    single: Tensor
    mosaic: Tensor
    pasted: Tensor
    negative: Tensor


def chunk_seed(seed: int, number: int) -> int:
    """The seed of a random generator for the `number`-th of many independent draws."""
    return int(np.random.SeedSequence((seed, number)).generate_state(1, np.uint64)[0] >> 1)


class Drawer:
    """Draws canvases with one random generator."""

    def __init__(
        self, pool: DevicePool, weights: Weights, seed: int, max_roll_deg: float = 180.0
    ) -> None:
        """Draw from a pool with weights that may change in place."""
        self.pool = pool
        self.weights = weights
        self._device = pool.pixels.device
        self._seed = seed
        self._max_roll = max_roll_deg
        self._rng = torch.Generator(self._device)

    def draw(self, count: int, number: int) -> Draws:
        """`count` canvases, determined by the seed, `number` and the current weights alone."""
        self._rng.manual_seed(chunk_seed(self._seed, number))
        coarser = self._happens(_LOW_RESOLUTION_RATE, count).long()
        layout = self._uniform(0, 1, count)
        is_mosaic = layout < _MOSAIC_RATE
        base = self._draw_base(is_mosaic, layout < _MOSAIC_RATE + _SINGLE_RATE, coarser)
        pasted, half_sides, has_face = self._draw_pasted(count, coarser)
        is_plain = self._happens(_PLAIN_RATE, count)
        grey = self._uniform(0, 255, count)
        return Draws(
            self._draw_background(count),
            torch.where(is_plain, grey, torch.full_like(grey, -1.0)),
            base,
            is_mosaic,
            pasted,
            half_sides,
            self._happens(_SOFT_RATE, count, PASTED),
            has_face,
        )

    def _draw_background(self, count: int) -> Placement:
        photos = self._choose(self.weights.negative, count)
        sides = self.pool.sides[photos, 0].float()
        scale = CANVAS / sides.amin(-1) * self._uniform(-0.9, 0.7, count).exp()
        centre = self._uniform(0, 1, count, 2) * sides
        target = torch.full_like(centre, CANVAS / 2)
        return self._place(photos, scale, centre, target, torch.zeros_like(photos))

    def _draw_base(self, is_mosaic: Tensor, active: Tensor, coarser: Tensor) -> Placement:
        count = len(is_mosaic)
        single, size = self._draw_face(
            self._choose(self.weights.single, count, 1), _MAX_FACE, coarser
        )
        margin = (size * (_BEYOND_BORDER / CANVAS)).clamp(min=0.1)[..., None]
        target = margin + self._uniform(0, 1, count, 1, 2) * (1 - 2 * margin)
        whole = replace(single, target=target * CANVAS)
        quarters, _ = self._draw_face(
            self._choose(self.weights.mosaic, count, QUADRANTS), _MAX_MOSAIC_FACE, coarser
        )
        half = CANVAS / 2
        corners = torch.tensor([[0, 0], [1, 0], [0, 1], [1, 1]], device=self._device) * half
        within = self._uniform(0.25, 0.75, count, QUADRANTS, 2) * half
        parts = replace(quarters, target=corners + within)
        placement = _choose_between(is_mosaic[:, None], parts, whole)
        return replace(placement, active=active[:, None].expand_as(placement.photos))

    def _draw_pasted(self, count: int, coarser: Tensor) -> tuple[Placement, Tensor, Tensor]:
        has_face = self._happens(_FACE_RATE, count, PASTED)
        faces, _ = self._draw_face(
            self._choose(self.weights.pasted, count, PASTED), _MAX_PASTED_FACE, coarser
        )
        rows = self.pool.faces[faces.photos, 0]
        context = self._uniform(*_PASTED_CONTEXT, count, PASTED, 2)
        half_sides = rows[..., WIDTH : HEIGHT + 1] * faces.scale[..., None] / 2 * context
        patches = self._draw_patches(count, coarser)
        patch_sides = self._log_uniform(*_PATCH, count, PASTED, 2)
        placement = _choose_between(has_face, faces, patches)
        target = self._uniform(0.03, 0.97, count, PASTED, 2) * CANVAS
        number = torch.arange(PASTED, device=self._device)
        most = self._uniform(0, PASTED, count).ceil()
        most = torch.where(self._happens(_PASTE_RATE, count), most, torch.zeros_like(most))
        placement = replace(placement, active=number < most[:, None], target=target)
        return placement, torch.where(has_face[..., None], half_sides, patch_sides), has_face

    def _draw_patches(self, count: int, coarser: Tensor) -> Placement:
        photos = self._choose(self.weights.negative, count, PASTED)
        centre = self._uniform(0, 1, count, PASTED, 2) * self.pool.sides[photos, 0]
        scale = self._log_uniform(0.25, 2.0, count, PASTED)
        return self._place(photos, scale, centre, torch.zeros_like(centre), coarser[:, None])

    def _draw_face(
        self, photos: Tensor, largest: float, coarser: Tensor
    ) -> tuple[Placement, Tensor]:
        """Photos placed for one of their faces, without a target, and the log-uniform sizes, px."""
        faces = (self._uniform(0, 1, *photos.shape) * self.pool.face_counts[photos]).long()
        rows = self.pool.faces[photos, faces]
        size = (rows[..., WIDTH] * rows[..., HEIGHT]).sqrt()
        high = torch.where(
            self._happens(_SMALL_FACE_RATE, *photos.shape), min(_SMALL_FACE, largest), largest
        )
        low = math.log(_MIN_DRAWN_FACE)
        drawn = (low + self._uniform(0, 1, *photos.shape) * (high.log() - low)).exp()
        scale = (drawn / size).clamp(max=_MAX_SCALE)
        centre = rows[..., X : Y + 1]
        placement = self._place(photos, scale, centre, torch.zeros_like(centre), coarser[:, None])
        return placement, size * scale

    def _place(
        self, photos: Tensor, scale: Tensor, centre: Tensor, target: Tensor, coarser: Tensor
    ) -> Placement:
        shape = photos.shape
        near = torch.randn(shape, generator=self._rng, device=self._device) * _ROLL_DEG
        angle = torch.where(
            self._happens(_ANY_ROLL_RATE, *shape),
            self._uniform(-self._max_roll, self._max_roll, *shape),
            near.clamp(-self._max_roll, self._max_roll),
        )
        mirror = torch.where(self._happens(_MIRROR_RATE, *shape), -1.0, 1.0)
        level = (-scale.log2() - 0.1).round().long().clamp(min=0) + coarser
        return Placement(
            photos, torch.ones_like(photos, dtype=torch.bool), scale, angle.deg2rad(), mirror,
            centre, target, level.clamp(max=MAX_LEVEL),
        )  # fmt: skip

    def _choose(self, weights: Tensor, *shape: int) -> Tensor:
        count = math.prod(shape)
        return torch.multinomial(weights, count, replacement=True, generator=self._rng).view(shape)

    def _happens(self, rate: float, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self._rng, device=self._device) < rate

    def _uniform(self, low: float, high: float, *shape: int) -> Tensor:
        drawn = torch.rand(shape, generator=self._rng, device=self._device)
        return low + (high - low) * drawn

    def _log_uniform(self, low: float, high: float, *shape: int) -> Tensor:
        return self._uniform(math.log(low), math.log(high), *shape).exp()


def _choose_between(mask: Tensor, first: Placement, second: Placement) -> Placement:
    """`first` where `mask` is set, else `second`; the three are broadcast."""
    chosen = []
    for field in fields(Placement):
        one, other = getattr(first, field.name), getattr(second, field.name)
        wide = mask.reshape(*mask.shape, *(1,) * (one.ndim - mask.ndim))
        chosen.append(torch.where(wide, one, other))
    return Placement(*chosen)
