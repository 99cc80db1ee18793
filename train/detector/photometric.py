"""Photometric augmentation of canvases on the training device: blur, tone, shading, print, noise.

Legend: N canvases.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from train.detector.draws import chunk_seed

# Shares of a batch that are changed, so that no time is spent on the others; which canvases these
# are is drawn for each change. A GPU does not have to tell the processor a number for that.
_BLUR_SHARE = 0.28
_SHARPEN_SHARE = 0.17  # large faces are enlarged ones, softer than those of sharp photos
_TONE_SHARE = 0.7
_SHADING_SHARE = 0.2
_NOISE_SHARE = 0.35
_HALFTONE_SHARE = 1 / 16
_COMPRESSED_SHARE = 1 / 4
_BLOCK = 8  # px, of JPEG

# The luminance table of JPEG's Annex K, for quality 50; rows of an 8×8 block.
_QUANTISATION = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip


class Photometric:
    """Changes the light of canvases with one random generator."""

    def __init__(self, device: torch.device, seed: int) -> None:
        """Create the generator and the constants on a device."""
        self._device = device
        self._seed = seed
        self._rng = torch.Generator(device)
        k = torch.arange(_BLOCK, dtype=torch.float32)
        cosines = torch.cos((2 * k + 1) * k[:, None] * math.pi / (2 * _BLOCK)) * 0.5
        cosines[0] *= math.sqrt(0.5)
        self._cosines = cosines.to(device)  # of the discrete cosine transform, (8, 8)
        table = torch.tensor(_QUANTISATION, dtype=torch.float32).view(_BLOCK, _BLOCK)
        self._table = table.to(device)

    def __call__(self, pixels: Tensor, number: int) -> Tensor:
        """Augmented copies of canvases, determined by the seed and `number` alone.

        Args:
            pixels: float32 `(N, S, S)`, grey, 0–255.
            number: of the batch.

        Returns:
            uint8 `(N, S, S)`.
        """
        self._rng.manual_seed(chunk_seed(self._seed, number))
        pixels = pixels.clone()
        for change, share in (
            (self._blur, _BLUR_SHARE),
            (self._sharpen, _SHARPEN_SHARE),
            (self._tone, _TONE_SHARE),
            (self._shade, _SHADING_SHARE),
            (self._halftone, _HALFTONE_SHARE),
            (self._noise, _NOISE_SHARE),
            (self._compress, _COMPRESSED_SHARE),
        ):
            order = torch.randperm(len(pixels), generator=self._rng, device=self._device)
            chosen = order[: math.ceil(len(pixels) * share)]
            if len(chosen):
                pixels[chosen] = change(pixels[chosen]).clamp(0, 255)
        return pixels.round().to(torch.uint8)

    def _blur(self, pixels: Tensor) -> Tensor:
        return self._smooth(pixels)

    def _sharpen(self, pixels: Tensor) -> Tensor:
        """An unsharp mask."""
        amount = self._uniform(0.3, 1.5, len(pixels))[:, None, None]
        return torch.lerp(pixels, self._smooth(pixels), -amount)

    def _smooth(self, pixels: Tensor) -> Tensor:
        """Convolve with Gaussians of random widths."""
        deviation = self._uniform(0.3, 1.6, len(pixels))
        offsets = torch.arange(-2, 3, device=self._device, dtype=torch.float32)
        kernel = torch.exp(-0.5 * (offsets / deviation[:, None]) ** 2)
        kernel = kernel / kernel.sum(-1, keepdim=True)
        padded = functional.pad(pixels[None], (2, 2, 2, 2), mode="reflect")
        rows = functional.conv2d(padded, kernel[:, None, None, :], groups=len(pixels))
        return functional.conv2d(rows, kernel[:, None, :, None], groups=len(pixels))[0]

    def _tone(self, pixels: Tensor) -> Tensor:
        """Random gamma, contrast and brightness."""
        count = len(pixels)
        gamma = (self._normal(count) * 0.3).exp()[:, None, None]
        contrast = (self._normal(count) * 0.35 - 0.1).exp()[:, None, None]
        brightness = (self._normal(count) * 0.08)[:, None, None]
        value = (pixels / 255).clamp(1e-4, 1) ** gamma
        return ((value - 0.5) * contrast + (0.5 + brightness)) * 255

    def _shade(self, pixels: Tensor) -> Tensor:
        """Smooth shadows."""
        shape = (len(pixels), 1, 4, 4)
        coarse = torch.rand(shape, generator=self._rng, device=self._device) + 1e-6
        coarse = (coarse**0.7).clamp(0.1, 1)  # exp of a negative exponential variable of mean 0.7
        light = functional.interpolate(coarse, size=pixels.shape[1:], mode="bilinear")[:, 0]
        return pixels * light

    def _halftone(self, pixels: Tensor) -> Tensor:
        """A printed image: a rotated halftone screen, blended with the original."""
        count, side = len(pixels), pixels.shape[-1]
        period, angle = self._uniform(2.2, 5, count), self._uniform(0, math.pi / 2, count)
        axis = torch.arange(side, device=self._device) * (2 * math.pi)
        cos, sin = (f(angle)[:, None, None] for f in (torch.cos, torch.sin))
        x, y = (t / period[:, None, None] for t in (axis[None, None, :], axis[None, :, None]))
        screen = 127.5 + 63.75 * ((x * cos + y * sin).cos() + (y * cos - x * sin).cos())
        dots = torch.where(pixels > screen, 255.0, 0.0)
        printed = torch.lerp(pixels, dots, self._uniform(0.2, 0.8, count)[:, None, None])
        return functional.avg_pool2d(printed[None], 3, 1, 1, count_include_pad=False)[0]

    def _noise(self, pixels: Tensor) -> Tensor:
        deviation = self._uniform(1, 18, len(pixels))
        noise = torch.randn(pixels.shape, generator=self._rng, device=self._device)
        return torch.addcmul(pixels, noise, deviation[:, None, None])

    def _compress(self, pixels: Tensor) -> Tensor:
        """The blocks of JPEG at a random quality."""
        count, side = len(pixels), pixels.shape[-1]
        quality = self._uniform(20, 85, count)
        factor = torch.where(quality < 50, 50 / quality, 2 - quality / 50)[:, None, None]
        steps = (self._table * factor).clamp(min=1)[:, None, None]
        blocks = pixels.view(count, side // _BLOCK, _BLOCK, side // _BLOCK, _BLOCK)
        blocks = blocks.permute(0, 1, 3, 2, 4) - 128
        coefficients = self._cosines @ blocks @ self._cosines.T
        coefficients = (coefficients / steps).round() * steps
        blocks = self._cosines.T @ coefficients @ self._cosines + 128
        return blocks.permute(0, 1, 3, 2, 4).reshape(count, side, side)

    def _uniform(self, low: float, high: float, count: int) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=self._rng, device=self._device)

    def _normal(self, count: int) -> Tensor:
        return torch.randn(count, generator=self._rng, device=self._device)
