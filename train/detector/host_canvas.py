"""Composition of training canvases on the processor, where OpenCV's warps are fast.

Draws what `train.detector.canvas` draws on a GPU, up to rounding and half a pixel at the borders of
photos.

Legend: N canvases.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from train.detector.draws import CANVAS, PASTED, QUADRANTS, Draws, Placement
from train.detector.pool import DevicePool

OVAL_RADIUS = 1.05  # of the soft mask, in half sides of the image
OVAL_SLOPE = 4.0  # 1 / width of the mask's edge, in half sides

_Matrix = NDArray[np.float64]
_Image = NDArray[np.uint8]
_TEMPLATE_SCALE = 100.0  # px of a mask's template per half side of the image
_TEMPLATE_HALF = 150  # px, half side of the template


class HostComposer:
    """Draws canvases from a pool in the memory of the processor."""

    def __init__(self, pool: DevicePool) -> None:
        """Share the pixels of a pool."""
        self._pixels: _Image = pool.pixels.numpy()
        self._starts = pool.starts.numpy()
        self._sides = pool.sides.numpy()
        axis = np.arange(-_TEMPLATE_HALF, _TEMPLATE_HALF + 1) / _TEMPLATE_SCALE
        radius = np.hypot(axis, axis[:, None])
        oval = np.clip((OVAL_RADIUS - radius) * OVAL_SLOPE, 0, 1)
        square = (np.maximum(abs(axis), abs(axis[:, None])) <= 1).astype(np.float64)
        self._masks = [mask.astype(np.float32) for mask in (square, oval)]

    def draw(self, draws: Draws) -> Tensor:
        """Grey values float32 `(N, 320, 320)`, 0–255."""
        canvases = np.empty((len(draws.plain), CANVAS, CANVAS), np.uint8)
        plain = draws.plain.numpy()
        background = _Placed(draws.background)
        base = _Placed(draws.base)
        pasted = _Placed(draws.pasted)
        half_sides = draws.half_sides.numpy()
        is_soft = draws.is_soft.numpy()
        is_mosaic = draws.is_mosaic.numpy()
        for n, canvas in enumerate(canvases):
            if plain[n] >= 0:
                canvas[:] = round(float(plain[n]))
            else:
                self._warp(background, n, canvas, cv2.BORDER_REFLECT)
            self._draw_base(base, n, bool(is_mosaic[n]), canvas)
            for k in range(PASTED):
                if pasted.active[n, k]:
                    mask = self._masks[int(is_soft[n, k])]
                    self._paste(pasted, (n, k), half_sides[n, k], mask, canvas)
        return torch.from_numpy(canvases).float()

    def _draw_base(self, base: _Placed, n: int, is_mosaic: bool, canvas: _Image) -> None:
        if not is_mosaic:
            if base.active[n, 0]:
                self._warp(base, (n, 0), canvas, cv2.BORDER_TRANSPARENT)
            return
        half = CANVAS // 2
        for k in range(QUADRANTS):
            if base.active[n, k]:
                y, x = (k // 2) * half, (k % 2) * half
                part = canvas[y : y + half, x : x + half]
                self._warp(base, (n, k), part, cv2.BORDER_TRANSPARENT, (x, y))

    def _paste(
        self,
        pasted: _Placed,
        index: tuple[int, int],
        half_sides: NDArray[np.float32],
        mask: NDArray[np.float32],
        canvas: _Image,
    ) -> None:
        """One image over a canvas, with the opacity of a mask."""
        centre = pasted.target[index]
        reach = float(np.hypot(*half_sides)) * (OVAL_RADIUS + 1 / OVAL_SLOPE) + 1
        x, y = np.clip(np.floor(centre - reach), 0, CANVAS).astype(int)
        right, bottom = np.clip(np.ceil(centre + reach) + 1, 0, CANVAS).astype(int)
        if x >= right or y >= bottom:
            return
        part = canvas[y:bottom, x:right]
        image = part.copy()
        self._warp(pasted, index, image, cv2.BORDER_TRANSPARENT, (x, y))
        cos, sin = np.cos(pasted.angle[index]), np.sin(pasted.angle[index])
        axes = np.array([[cos, sin], [-sin, cos]]) / half_sides[:, None] * _TEMPLATE_SCALE
        offset = axes @ (np.array([x, y]) - centre) + _TEMPLATE_HALF
        opacity = cv2.warpAffine(
            mask, np.column_stack([axes, offset]), (right - x, bottom - y),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        )  # fmt: skip
        part[:] = np.rint(part + (image.astype(np.float32) - part) * opacity)

    def _warp(
        self,
        placed: _Placed,
        index: int | tuple[int, int],
        part: _Image,
        border: int,
        corner: tuple[int, int] = (0, 0),
    ) -> None:
        """Draw a photo into a part of a canvas whose upper left pixel is `corner`."""
        matrix = placed.to_photo[index]
        level = placed.level[index]
        linear = matrix[:, :2] / 2.0**level
        offset = (matrix[:, 2] + matrix[:, :2] @ np.array(corner) + 0.5) / 2.0**level - 0.5
        start = int(self._starts[placed.photos[index], level])
        width, height = (int(side) for side in self._sides[placed.photos[index], level])
        photo = self._pixels[start : start + width * height].reshape(height, width)
        drawn = cv2.warpAffine(
            photo, np.column_stack([linear, offset]), part.shape[::-1],
            dst=np.ascontiguousarray(part), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=border,
        )  # fmt: skip
        part[:] = drawn


class _Placed:
    """The arrays of placements."""

    def __init__(self, placement: Placement) -> None:
        self.photos: NDArray[Any] = placement.photos.numpy()
        self.active: NDArray[Any] = placement.active.numpy()
        self.angle: NDArray[Any] = placement.angle.numpy().astype(np.float64)
        self.target: NDArray[Any] = placement.target.numpy().astype(np.float64)
        self.level: NDArray[Any] = placement.level.numpy()
        self.to_photo: _Matrix = placement.to_photo().numpy().astype(np.float64)
