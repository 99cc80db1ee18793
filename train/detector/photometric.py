"""Light, sharpness and print of a whole canvas, changed at random."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from train.data.augmentation import noise


def change_light(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A changed copy of a canvas, uint8 `(H, W)`."""
    if rng.random() < 0.25:
        pixels = _coarsen(pixels, rng.uniform(0.3, 0.9))
    if rng.random() < 0.2:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.3, 1.6)), np.uint8)
    if rng.random() < 0.7:
        pixels = np.asarray(cv2.LUT(pixels, _tone(rng)), np.uint8)
    if rng.random() < 0.2:
        pixels = _shade(pixels, rng)
    if rng.random() < 0.08:
        pixels = _halftone(pixels, rng)
    if rng.random() < 0.35:
        pixels = _grain(pixels, rng.uniform(1, 18), rng)
    if rng.random() < 0.25:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 85))]
        _, packed = cv2.imencode(".jpg", pixels, quality)
        pixels = np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.uint8)
    return pixels


def _coarsen(pixels: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, pixels.shape[::-1]), np.uint8)


def _tone(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A table of 256 grey values: gamma, contrast and brightness."""
    value = (np.arange(256) / 255) ** np.exp(rng.normal(0, 0.3))
    value = (value - 0.5) * np.exp(rng.normal(-0.1, 0.35)) + 0.5 + rng.normal(0, 0.08)
    return np.asarray(np.clip(np.rint(value * 255), 0, 255), np.uint8)


def _shade(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Darker here and there, down to a tenth of the light."""
    coarse = np.exp(-rng.exponential(0.7, (4, 4))).clip(0.1, 1).astype(np.float32)
    light = cv2.resize(coarse, pixels.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(pixels * light, np.uint8)


def _halftone(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """As printed with a screen of dots, seen more or less sharply."""
    period, angle = rng.uniform(2.2, 5), rng.uniform(0, np.pi / 2)
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]] * (2 * np.pi / period)
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    screen = 127.5 + 63.75 * (np.cos(u) + np.cos(v))
    dots = np.where(pixels > screen, 255, 0).astype(np.float32)
    mixed = pixels + (dots - pixels) * rng.uniform(0.2, 0.8)
    return np.asarray(cv2.GaussianBlur(mixed.astype(np.uint8), (0, 0), rng.uniform(0.4, 1.0)))


def _grain(
    pixels: NDArray[np.uint8], deviation: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    grains = noise(pixels.shape, rng) * np.float32(deviation)
    return np.asarray(np.clip(pixels + grains, 0, 255), np.uint8)
