"""Composition of training canvases on the training device, and the faces that remain visible.

Legend: N canvases, K pasted images of a canvas, G face rows of a canvas.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from edge.geometry.face_frame import BOX_DOWN, BOX_HEIGHT, BOX_WIDTH
from train.detector.draws import (
    CANVAS,
    MIN_FACE,
    PASTED,
    QUADRANTS,
    WINDOW,
    Draws,
    Placement,
)
from train.detector.host_canvas import OVAL_RADIUS, OVAL_SLOPE, HostComposer
from train.detector.pool import (
    HEIGHT,
    IS_FACE,
    ROLL,
    ROLL_WEIGHT,
    WIDTH,
    DevicePool,
    X,
    Y,
    sample,
)

MAX_VISIBLE = 64  # face rows of a canvas
_MIN_INSIDE = 0.6  # share of a box inside its part of the canvas below which it is ignored
_MIN_OCCLUDED = 0.25  # occluded share of a box from which on the face is ignored
_MIN_HIDDEN = 0.6  # occluded share of a box from which on the face counts as background
_OVAL_COVER = 0.8  # half sides of a rectangle that hides what an oval hides, in those of the oval
_MARGIN = WINDOW // 2


def compose(pool: DevicePool, draws: Draws) -> tuple[Tensor, Tensor]:
    """Draw canvases, where the pool is.

    Returns:
        Grey values float32 `(N, 320, 320)`, 0–255; and the rows of faces and of regions to ignore,
        `(N, G, 7)` as `train.detector.pool` has them, but in canvas px and with x and y of
        the box's centre. Unused rows have width 0.
    """
    rows = visible_faces(pool, draws)
    if pool.pixels.device.type != "cpu":
        return draw_with_torch(pool, draws), rows
    # Rows that no canvas uses would be compared with every cell of the detector; a GPU would have
    # to tell their number to the processor, which takes longer.
    used = int((rows[..., WIDTH] > 0).sum(1).max())
    return HostComposer(pool).draw(draws), rows[:, : max(used, 1)]


def draw_with_torch(pool: DevicePool, draws: Draws) -> Tensor:
    """Grey values float32 `(N, 320, 320)`, 0–255, in operations that suit a GPU."""
    canvas = _background(pool, draws)
    canvas = _draw_base(pool, draws, canvas)
    return _paste(pool, draws, canvas)


def _background(pool: DevicePool, draws: Draws) -> Tensor:
    placed = draws.background
    pixels, _ = sample(pool, placed.photos, placed.to_photo(), placed.level, CANVAS, reflect=True)
    plain = draws.plain[:, None, None]
    return torch.where(plain >= 0, plain, pixels)


def _draw_base(pool: DevicePool, draws: Draws, canvas: Tensor) -> Tensor:
    """The photos of the quadrants over the background."""
    count, half = len(canvas), CANVAS // 2
    matrices = draws.base.to_photo().clone()
    corners = torch.tensor([[0, 0], [1, 0], [0, 1], [1, 1]], device=canvas.device).float() * half
    matrices[..., 2] += (matrices[..., :2] @ corners[..., None])[..., 0]
    pixels, inside = sample(
        pool,
        draws.base.photos.flatten(),
        matrices.flatten(0, 1),
        draws.base.level.flatten(),
        half,
    )
    inside &= draws.base.active.flatten()[:, None, None]

    def join(quadrants: Tensor) -> Tensor:
        grid = quadrants.view(count, 2, 2, half, half).permute(0, 1, 3, 2, 4)
        return grid.reshape(count, CANVAS, CANVAS)

    return torch.where(join(inside), join(pixels), canvas)


def _paste(pool: DevicePool, draws: Draws, canvas: Tensor) -> Tensor:
    """Pasted images over the canvas, one after the other."""
    count, device = len(canvas), canvas.device
    placed = draws.pasted
    corner = (placed.target - WINDOW / 2).round()
    matrices = placed.to_photo().clone()
    matrices[..., 2] += (matrices[..., :2] @ corner[..., None])[..., 0]
    pixels, inside = sample(
        pool, placed.photos.flatten(), matrices.flatten(0, 1), placed.level.flatten(), WINDOW
    )
    axis = torch.arange(WINDOW, device=device, dtype=torch.float32)
    shift = (placed.target - corner).flatten(0, 1)
    x = axis[None, None, :] - shift[:, 0, None, None]
    y = axis[None, :, None] - shift[:, 1, None, None]
    cos, sin = (f(placed.angle).flatten()[:, None, None] for f in (torch.cos, torch.sin))
    halves = draws.half_sides.flatten(0, 1)
    u = (x * cos + y * sin) / halves[:, 0, None, None]
    v = (y * cos - x * sin) / halves[:, 1, None, None]
    oval = ((OVAL_RADIUS - (u * u + v * v).sqrt()) * OVAL_SLOPE).clamp(0, 1)
    square = ((u.abs() <= 1) & (v.abs() <= 1)).float()
    opacity = torch.where(draws.is_soft.flatten()[:, None, None], oval, square)
    opacity = opacity * (inside & placed.active.flatten()[:, None, None])
    pixels, opacity = (t.view(count, PASTED, WINDOW * WINDOW) for t in (pixels, opacity))

    padded = torch.nn.functional.pad(canvas, (_MARGIN,) * 4)
    side = padded.shape[-1]
    flat = padded.flatten(1)
    within = (axis[:, None] * side + axis).flatten().long()
    # The corner of a window is at most half a window outside of the canvas.
    first = corner.long() + _MARGIN
    first = (first[..., 1] * side + first[..., 0])[..., None] + within
    for k in range(PASTED):
        below = flat.gather(1, first[:, k])
        flat.scatter_(1, first[:, k], torch.lerp(below, pixels[:, k], opacity[:, k]))
    end = _MARGIN + CANVAS
    return flat.view(count, side, side)[:, _MARGIN:end, _MARGIN:end]


def visible_faces(pool: DevicePool, draws: Draws) -> Tensor:
    """The faces and regions to ignore that remain visible, `(N, G, 7)`; see `compose`."""
    base_rows, base_used, windows = _base_faces(pool, draws)
    pasted_rows, pasted_used = _pasted_faces(pool, draws)
    count, device = len(base_rows), base_rows.device
    full = torch.tensor([0.0, 0.0, CANVAS, CANVAS], device=device) - 0.5
    rows = torch.cat([base_rows, pasted_rows], 1)
    used = torch.cat([base_used, pasted_used], 1)
    windows = torch.cat([windows, full.expand(count, PASTED, 4)], 1)
    order = torch.arange(1, PASTED + 1, device=device)
    order = torch.cat([torch.zeros(base_rows.shape[1], device=device, dtype=torch.long), order])
    boxes = _corners(rows)
    area = (rows[..., WIDTH] * rows[..., HEIGHT]).clamp(min=1e-6)
    inside = _intersection(boxes, windows) / area
    above = (order[:, None] < torch.arange(1, PASTED + 1, device=device)) & draws.pasted.active[
        :, None, :
    ]
    covers = _covers(draws)[:, None]
    hidden = (_intersection(boxes[:, :, None], covers) / area[..., None] * above).amax(-1)
    size = area.sqrt()
    is_face = (
        used & (rows[..., IS_FACE] > 0) & (inside >= _MIN_INSIDE) & (size >= MIN_FACE)
        & (hidden < _MIN_OCCLUDED)
    )  # fmt: skip
    is_ignored = used & ~is_face & (inside > 0) & (hidden < _MIN_HIDDEN)
    importance = is_face * 2.0 + is_ignored * 1.0
    best, index = importance.topk(MAX_VISIBLE, dim=1)
    taken = rows.gather(1, index[..., None].expand(-1, -1, rows.shape[-1])).clone()
    clipped = _clip(boxes, windows).gather(1, index[..., None].expand(-1, -1, 4))
    face = best >= 2
    low, high = clipped[..., :2], clipped[..., 2:]
    clipped = torch.cat([(low + high) / 2, (high - low).clamp(min=0)], -1)
    taken[..., :4] = torch.where(face[..., None], taken[..., :4], clipped)
    taken[..., IS_FACE] = face.float()
    taken[..., WIDTH : HEIGHT + 1] *= (best > 0)[..., None]
    return taken


def _base_faces(pool: DevicePool, draws: Draws) -> tuple[Tensor, Tensor, Tensor]:
    """Rows, whether they are used, and the part of the canvas that each may lie in."""
    rows = _move(pool.faces[draws.base.photos], draws.base)
    used = pool.used[draws.base.photos] & draws.base.active[..., None]
    first = torch.arange(QUADRANTS, device=rows.device) == 0
    used = used & (draws.is_mosaic[:, None] | first)[..., None]
    half = CANVAS / 2
    lows = torch.tensor([[0, 0], [1, 0], [0, 1], [1, 1]], device=rows.device) * half
    quarters = torch.cat([lows, lows + half], -1) - 0.5
    full = torch.tensor([0.0, 0.0, CANVAS, CANVAS], device=rows.device) - 0.5
    windows = torch.where(draws.is_mosaic[:, None, None], quarters, full)
    windows = windows[:, :, None].expand(*rows.shape[:3], 4)
    return rows.flatten(1, 2), used.flatten(1, 2), windows.flatten(1, 2)


def _pasted_faces(pool: DevicePool, draws: Draws) -> tuple[Tensor, Tensor]:
    rows = _move(pool.faces[draws.pasted.photos][:, :, :1], draws.pasted)[:, :, 0]
    return rows, draws.has_face & draws.pasted.active


def _move(rows: Tensor, placed: Placement) -> Tensor:
    """Face rows `(…, F, 7)` of photos on the canvas, with x and y of the box's centre."""
    scale, angle, mirror = (t[..., None] for t in (placed.scale, placed.angle, placed.mirror))
    x = (rows[..., X] - placed.centre[..., None, 0]) * mirror * scale
    y = (rows[..., Y] - placed.centre[..., None, 1]) * scale
    cos, sin = angle.cos(), angle.sin()
    width, height = rows[..., WIDTH] * scale, rows[..., HEIGHT] * scale
    down = BOX_DOWN * (width * height / (BOX_WIDTH * BOX_HEIGHT)).sqrt()
    roll = rows[..., ROLL] * mirror + angle
    roll = torch.remainder(roll + math.pi, 2 * math.pi) - math.pi
    columns = [
        x * cos - y * sin + placed.target[..., None, 0],
        x * sin + y * cos + placed.target[..., None, 1] + down,
        width, height, roll, rows[..., ROLL_WEIGHT], rows[..., IS_FACE],
    ]  # fmt: skip
    return torch.stack(columns, -1)


def _corners(rows: Tensor) -> Tensor:
    """Left, top, right and bottom edges `(…, 4)` of rows' boxes."""
    centre, half = rows[..., X : Y + 1], rows[..., WIDTH : HEIGHT + 1] / 2
    return torch.cat([centre - half, centre + half], -1)


def _covers(draws: Draws) -> Tensor:
    """Edges of upright rectangles that pasted images hide, `(N, K, 4)`."""
    half = draws.half_sides.prod(-1, keepdim=True).sqrt().clamp(max=WINDOW / 2)
    half = half * torch.where(draws.is_soft[..., None], _OVAL_COVER, 1.0)
    return torch.cat([draws.pasted.target - half, draws.pasted.target + half], -1)


def _clip(boxes: Tensor, windows: Tensor) -> Tensor:
    low = torch.maximum(boxes[..., :2], windows[..., :2])
    high = torch.minimum(boxes[..., 2:], windows[..., 2:])
    return torch.cat([low, high], -1)


def _intersection(boxes: Tensor, windows: Tensor) -> Tensor:
    """Areas of intersection, px²."""
    clipped = _clip(boxes, windows)
    return (clipped[..., 2:] - clipped[..., :2]).clamp(min=0).prod(-1)
