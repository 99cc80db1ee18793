"""The training photos on the training device, each with its mipmaps and the faces in it.

Legend: P photos, L levels of a photo's mipmap, F faces of a photo, N samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edge.geometry.face_frame import BOX_DOWN, BOX_HEIGHT, BOX_WIDTH
from train.detector.photos import Photo

LEVELS = 6  # of a mipmap; each has half the sides of the one before
MAX_FACES = 64  # of a photo; photos with more are left out
# Columns of a face: centre of its square x and y, width and height of its box, px; roll, radians
# clockwise as seen; weight of the roll in the loss; 1 for a face, 0 for a region to ignore.
X, Y, WIDTH, HEIGHT, ROLL, ROLL_WEIGHT, IS_FACE = range(7)
FACE_COLUMNS = 7
# Faces whose roll nobody measured are nearly upright; the networks' error outweighs theirs.
_ASSUMED_ROLL_WEIGHT = 0.3


@dataclass(frozen=True, slots=True)
class DevicePool:
    """Photos in one flat tensor.

    Attributes:
        pixels: uint8 `(all pixels of all levels,)`.
        starts: int32 `(P, L)`, index of the first pixel of each level.
        sides: int32 `(P, L, 2)`, width and height of each level, px.
        faces: float32 `(P, F, 7)`, in the columns above; real faces first, then regions to ignore.
        face_counts: int64 `(P,)`, real faces.
        used: bool `(P, F)`, whether a row of `faces` is in use.
        sources: the set of each photo.
    """

    pixels: Tensor
    starts: Tensor
    sides: Tensor
    faces: Tensor
    face_counts: Tensor
    used: Tensor
    sources: tuple[str, ...]

    def __len__(self) -> int:
        """The number of photos."""
        return len(self.sources)


def make_pool(photos: list[Photo], device: str) -> tuple[DevicePool, NDArray[np.bool_]]:
    """Move photos to a device, except those with more than `MAX_FACES` faces and ignored regions.

    Returns:
        The pool, and which of the photos it contains, bool `(P,)`.
    """
    kept = np.array([len(p.boxes) + len(p.ignored) <= MAX_FACES for p in photos])
    photos = [photo for photo, keep in zip(photos, kept, strict=True) if keep]
    mipmaps = [_mipmap(photo.pixels) for photo in photos]
    sizes = np.array([[level.size for level in mipmap] for mipmap in mipmaps])
    starts = np.cumsum(sizes.ravel()) - sizes.ravel()
    faces = np.zeros((len(photos), MAX_FACES, FACE_COLUMNS), np.float32)
    used = np.zeros((len(photos), MAX_FACES), bool)
    for i, photo in enumerate(photos):
        rows = _face_rows(photo)
        faces[i, : len(rows)], used[i, : len(rows)] = rows, True
    counts = np.array([len(photo.boxes) for photo in photos])
    flat = np.concatenate([level.ravel() for mipmap in mipmaps for level in mipmap])
    sides = np.array([[level.shape[::-1] for level in m] for m in mipmaps], np.int32)

    def move(array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(array).to(device)

    pool = DevicePool(
        pixels=move(flat),
        starts=move(starts.reshape(sizes.shape).astype(np.int32)),
        sides=move(sides),
        faces=move(faces),
        face_counts=move(counts),
        used=move(used),
        sources=tuple(photo.source for photo in photos),
    )
    return pool, kept


def _mipmap(pixels: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """A photo and its halves, quarters and so on."""
    levels = [pixels]
    for _ in range(LEVELS - 1):
        height, width = levels[-1].shape
        even = cv2.copyMakeBorder(levels[-1], 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        half = ((width + 1) // 2, (height + 1) // 2)
        levels.append(cv2.resize(even, half, interpolation=cv2.INTER_AREA).reshape(half[::-1]))
    return levels


def _face_rows(photo: Photo) -> NDArray[np.float32]:
    boxes = np.concatenate([photo.boxes, photo.ignored])
    count = len(photo.boxes)
    side = np.sqrt(boxes[:, 2] * boxes[:, 3] / (BOX_WIDTH * BOX_HEIGHT))
    rows = np.zeros((len(boxes), FACE_COLUMNS), np.float32)
    rows[:, X] = boxes[:, 0] + (boxes[:, 2] - 1) / 2
    rows[:, Y] = boxes[:, 1] + (boxes[:, 3] - 1) / 2 - BOX_DOWN * side
    rows[:, WIDTH : HEIGHT + 1] = boxes[:, 2:]
    known = ~np.isnan(photo.rolls)
    rows[:count, ROLL] = np.radians(np.where(known, photo.rolls, 0.0))
    rows[:count, ROLL_WEIGHT] = np.where(known, 1.0, _ASSUMED_ROLL_WEIGHT)
    rows[:count, IS_FACE] = 1.0
    return rows


def sample(
    pool: DevicePool,
    photos: Tensor,
    matrices: Tensor,
    levels: Tensor,
    side: int,
    reflect: bool = False,
) -> tuple[Tensor, Tensor]:
    """Draw photos over square images, by bilinear interpolation of one level each.

    Args:
        pool: the photos.
        photos: int64 `(N,)`.
        matrices: float32 `(N, 2, 3)`, from the image to the photo, px.
        levels: int64 `(N,)`, of the mipmap.
        side: of the images, px.
        reflect: whether photos continue beyond their borders as if mirrored.

    Returns:
        Grey values float32 `(N, side, side)`, and where the photo is, bool of the same shape.
    """
    start = pool.starts[photos, levels][:, None, None]
    width, height = pool.sides[photos, levels].unbind(-1)
    reduction = (2.0**levels)[:, None, None]
    axis = torch.arange(side, device=photos.device, dtype=torch.float32)
    x, y = axis[None, None, :], axis[None, :, None]
    m = matrices[..., None, None]
    places, inside = [], None
    for row, length in ((0, width), (1, height)):
        length = length[:, None, None].float()
        at = (m[:, row, 0] * x + (m[:, row, 1] * y + m[:, row, 2]) + 0.5) / reduction - 0.5
        if reflect:
            at = length - 0.5 - ((at + 0.5).remainder(2 * length) - length).abs()
        else:
            within = (at >= -0.5) & (at <= length - 0.5)
            inside = within if inside is None else inside & within
        places.append((torch.minimum(at.clamp_(min=0.0), length - 1), length))
    (u, columns), (v, rows) = places
    left, top = u.floor(), v.floor()
    index = (top * columns + left).to(torch.int32) + start
    to_right = (left + 1 < columns).to(torch.int32)
    down = (top + 1 < rows) * columns.to(torch.int32)

    def read(at: Tensor) -> Tensor:
        return torch.index_select(pool.pixels, 0, at.reshape(-1)).view(at.shape).float()

    u, v = u - left, v - top
    upper = torch.lerp(read(index), read(index + to_right), u)
    index = index + down
    lower = torch.lerp(read(index), read(index + to_right), u)
    if inside is None:
        inside = torch.ones_like(upper, dtype=torch.bool)
    return torch.lerp(upper, lower, v), inside
