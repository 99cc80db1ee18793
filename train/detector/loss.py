"""Targets and loss of the detector on the training device.

The detector divides the image into square cells at three strides. Cells near a face's centre are
assigned to it, at the one or two strides that match its size. Other cells inside the face, and
those in ignored regions, are excluded from the loss.

Legend: N canvases, C cells of all strides, rows first, finest stride first, G face rows.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from train.detector.network import STRIDES
from train.detector.pool import HEIGHT, IS_FACE, ROLL, ROLL_WEIGHT, WIDTH, X, Y

# Sizes of faces, px, that are assigned to each stride. They overlap, so that a face between two
# strides can be detected at either.
_SIZES = ((0.0, 44.0), (32.0, 112.0), (80.0, 1e9))
_SIZE_TOLERANCE = 1.4  # factor outside these sizes up to which a detection is not penalised
_ASSIGN_RADIUS = 0.9  # strides from a face's centre
_IGNORE_RADIUS = 0.3  # of a face's width and height from its centre
_GAMMA = 2.0  # exponent of the varifocal loss
_ALPHA = 0.75  # its weight of background cells
_BOX_WEIGHT = 2.0
_ROLL_WEIGHT = 0.7
_MAX_LOG_SIDE = 4.0  # logarithm of a box's side over the stride; keeps exp from overflowing


class Targets(NamedTuple):
    """What the network is to output for each cell.

    Attributes:
        face: float32 `(N, C)`, 1 for a face, 0 for background.
        counted: float32 `(N, C)`, 0 for cells that are excluded.
        boxes: float32 `(N, C, 4)`, centre x and y, width and height of the box, px.
        roll: float32 `(N, C, 3)`, cosine, sine and weight in the loss.
    """

    face: Tensor
    counted: Tensor
    boxes: Tensor
    roll: Tensor


class Cells:
    """The cells of a square canvas.

    Attributes:
        centres: `(C, 2)` px.
        strides: `(C, 1)` px.
    """

    def __init__(self, side: int, device: torch.device | str) -> None:
        """Lay out the cells of a canvas of `side` px."""
        centres, strides, limits = [], [], []
        for stride, size in zip(STRIDES, _SIZES, strict=True):
            axis = (torch.arange(side // stride) + 0.5) * stride - 0.5
            y, x = torch.meshgrid(axis, axis, indexing="ij")
            centres.append(torch.stack([x, y], -1).flatten(0, 1))
            strides.append(torch.full((len(centres[-1]), 1), float(stride)))
            limits.append(torch.tensor([size]).expand(len(centres[-1]), 2))
        self.centres = torch.cat(centres).to(device)
        self.strides = torch.cat(strides).to(device)
        self._limits = torch.cat(limits).to(device)

    def assign(self, rows: Tensor) -> Targets:
        """Targets of canvases with face rows `(N, G, 7)` (`train.detector.canvas`)."""
        values = {k: rows[..., k, None] for k in range(rows.shape[-1])}
        distances = [(self.centres[:, k] - values[at]).abs() for k, at in enumerate((X, Y))]
        size = (values[WIDTH] * values[HEIGHT]).sqrt()
        low, high = self._limits[:, 0], self._limits[:, 1]
        is_face = values[IS_FACE] * (size > 0) > 0
        near = torch.maximum(*distances) <= _ASSIGN_RADIUS * self.strides[:, 0]
        fits = is_face & (size >= low) & (size < high) & near
        key = torch.where(fits, -size, -1e9)  # of overlapping faces the smaller is usually in front
        best, index = key.max(1)
        face = best > -1e8
        inside = [
            distance < _IGNORE_RADIUS * values[side]
            for distance, side in zip(distances, (WIDTH, HEIGHT), strict=True)
        ]
        tolerated = is_face & (size >= low / _SIZE_TOLERANCE) & (size < high * _SIZE_TOLERANCE)
        unsure = tolerated & ((inside[0] & inside[1]) | near)
        covered = (distances[0] <= values[WIDTH] / 2) & (distances[1] <= values[HEIGHT] / 2)
        unsure = unsure | (covered & ~is_face & (size > 0))
        excluded = unsure.any(1) & ~face
        chosen = rows.gather(1, index[..., None].expand(-1, -1, rows.shape[-1]))
        roll = chosen[..., ROLL]
        return Targets(
            face.float(),
            (~excluded).float(),
            chosen[..., : HEIGHT + 1],
            torch.stack([roll.cos(), roll.sin(), chosen[..., ROLL_WEIGHT]], -1),
        )

    def decode(self, outputs: Tensor) -> Tensor:
        """Boxes `(N, C, 4)`, centre x and y, width and height, px, from outputs `(N, C, 7)`."""
        centre = self.centres + outputs[..., 1:3] * self.strides
        size = outputs[..., 3:5].clamp(max=_MAX_LOG_SIDE).exp() * self.strides
        return torch.cat([centre, size], -1)


def detection_loss(cells: Cells, outputs: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
    """Varifocal classification loss, distance-IoU box loss and squared error of the roll.

    The target score of a face's cell is (1 + IoU) / 2, so that the best of several boxes has the
    highest score; background cells are weighted by the square of their score (Zhang et al., 2021).
    The roll's error is that of the unit vector. All are divided by the number of face cells.

    Returns:
        The loss, and its three parts `(3,)`.
    """
    face = targets.face
    iou, distance = overlap(cells.decode(outputs), targets.boxes)
    quality = face * (0.5 + 0.5 * iou.detach())
    logit = outputs[..., 0]
    score = logit.detach().sigmoid()
    weight = face * quality + (1 - face) * _ALPHA * score**_GAMMA
    entropy = functional.softplus(logit) - quality * logit
    vector = (outputs[..., 5:7] - targets.roll[..., :2]).square().sum(-1)
    count = face.sum().clamp(min=1)
    parts = torch.stack(
        [
            (targets.counted * weight * entropy).sum(),
            (face * (1 - iou + distance)).sum() * _BOX_WEIGHT,
            (face * targets.roll[..., 2] * vector).sum() * _ROLL_WEIGHT,
        ]
    )
    parts = parts / count
    return parts.sum(), parts.detach()


def overlap(boxes: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Intersection over union and centre distance of pairs of boxes, as `Cells.decode` gives them.

    Returns:
        Intersection over union, and the squared distance of the centres divided by the squared
        diagonal of the enclosing box (Zheng et al., 2020).
    """
    (low, high), (other_low, other_high) = (
        (b[..., :2] - b[..., 2:] / 2, b[..., :2] + b[..., 2:] / 2) for b in (boxes, others)
    )
    shared = (torch.minimum(high, other_high) - torch.maximum(low, other_low)).clamp(min=0)
    intersection = _area(shared)
    areas = _area(boxes[..., 2:]) + _area(others[..., 2:])
    enclosing = torch.maximum(high, other_high) - torch.minimum(low, other_low)
    distance = (boxes[..., :2] - others[..., :2]).square().sum(-1)
    diagonal = enclosing.square().sum(-1)
    return intersection / (areas - intersection).clamp(min=1e-6), distance / diagonal.clamp(
        min=1e-6
    )


def _area(sides: Tensor) -> Tensor:
    """The products of widths and heights `(…, 2)`.

    Not `prod`, whose gradient reads a value on the host: no CUDA graph may contain that.
    """
    return sides[..., 0] * sides[..., 1]
