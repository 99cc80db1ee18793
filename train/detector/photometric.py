"""Photometric augmentation of a canvas: resolution, blur, tone, shading, halftone, noise, JPEG."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from train.data.augmentation import compress, noise

# Probabilities of the augmentations; halftone printing is rare.
_LOW_RESOLUTION_RATE = 0.25
_BLUR_RATE = 0.2
_TONE_RATE = 0.7
_SHADING_RATE = 0.2
_HALFTONE_RATE = 0.08
_NOISE_RATE = 0.35
_COMPRESSION_RATE = 0.25


def change_light(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A randomly augmented copy of a canvas, uint8 `(H, W)`."""
    if rng.random() < _LOW_RESOLUTION_RATE:
        pixels = _reduce_resolution(pixels, rng.uniform(0.3, 0.9))
    if rng.random() < _BLUR_RATE:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.3, 1.6)), np.uint8)
    if rng.random() < _TONE_RATE:
        pixels = np.asarray(cv2.LUT(pixels, _tone_table(rng)), np.uint8)
    if rng.random() < _SHADING_RATE:
        pixels = _shade(pixels, rng)
    if rng.random() < _HALFTONE_RATE:
        pixels = _halftone(pixels, rng)
    if rng.random() < _NOISE_RATE:
        pixels = _add_noise(pixels, rng.uniform(1, 18), rng)
    if rng.random() < _COMPRESSION_RATE:
        pixels = compress(pixels, int(rng.integers(20, 85)))
    return pixels


def _reduce_resolution(pixels: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, pixels.shape[::-1]), np.uint8)


def _tone_table(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A lookup table of 256 grey values: random gamma, contrast and brightness."""
    value = (np.arange(256) / 255) ** np.exp(rng.normal(0, 0.3))
    value = (value - 0.5) * np.exp(rng.normal(-0.1, 0.35)) + 0.5 + rng.normal(0, 0.08)
    return np.asarray(np.clip(np.rint(value * 255), 0, 255), np.uint8)


def _shade(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Smooth shadows that leave at least a tenth of the light."""
    coarse = np.exp(-rng.exponential(0.7, (4, 4))).clip(0.1, 1).astype(np.float32)
    light = cv2.resize(coarse, pixels.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(pixels * light, np.uint8)


def _halftone(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A printed image: a rotated halftone screen, blended with the original and blurred."""
    period, angle = rng.uniform(2.2, 5), rng.uniform(0, np.pi / 2)
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]] * (2 * np.pi / period)
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    screen = 127.5 + 63.75 * (np.cos(u) + np.cos(v))
    dots = np.where(pixels > screen, 255, 0).astype(np.float32)
    blended = pixels + (dots - pixels) * rng.uniform(0.2, 0.8)
    return np.asarray(cv2.GaussianBlur(blended.astype(np.uint8), (0, 0), rng.uniform(0.4, 1.0)))


def _add_noise(
    pixels: NDArray[np.uint8], deviation: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    gaussian = noise(pixels.shape, rng) * np.float32(deviation)
    return np.asarray(np.clip(pixels + gaussian, 0, 255), np.uint8)
