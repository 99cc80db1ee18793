"""Colours by the file's ICC profile, converted to sRGB, which everything after loading assumes."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

_SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}  # modes, and the colour spaces of profiles
# A profile that moves no colour by more than this, of 255, is one of the many forms of sRGB.
_SAME = 2
_NO_OPTIMIZATION = 0x0100  # cmsFLAGS_NOOPTIMIZE of LittleCMS
_GRID = 9  # samples of each channel with which that is measured


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert an image to sRGB.

    Args:
        image: of mode RGB, L or CMYK; one of another mode is returned as it is.
        profile: the file's ICC profile, or None. It is ignored where it is damaged or describes
            another colour space than the image has, and where Pillow has no LittleCMS.

    Returns:
        The image itself where nothing is to convert; else one of mode L for L, or RGB. Pixels are
        mapped with the profile's perceptual intent.
    """
    transform = _transform(profile, image.mode) if profile and image.mode in _SPACES else None
    if transform is None:
        return image
    return image.point(_grey_table(transform)) if image.mode == "L" else _apply(image, transform)


def is_srgb(profile: bytes) -> bool:
    """Whether `to_srgb` returns RGB images with this profile as they are."""
    return _transform(profile, "RGB") is None


@lru_cache(maxsize=16)  # profiles come in few kinds, and building a transform takes milliseconds
def _transform(profile: bytes, mode: str) -> Any:
    """The transform to sRGB; None where the profile is no use or is sRGB itself."""
    try:
        from PIL import ImageCms

        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != _SPACES[mode]:
            return None
        # Optimised, grey would be interpolated between 33 values, too few for dark parts.
        flags: Any = _NO_OPTIMIZATION if mode == "L" else 0
        srgb = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(source, srgb, mode, "RGB", flags=flags)
        return None if mode != "CMYK" and _is_identity(transform, mode) else transform
    except Exception:  # whatever LittleCMS raises: a damaged profile says nothing of the pixels
        return None


def _is_identity(transform: Any, mode: str) -> bool:
    steps = np.linspace(0, 255, _GRID).astype(np.uint8)
    if mode == "L":
        samples = Image.fromarray(steps[None])
    else:
        grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1)
        samples = Image.fromarray(grid.reshape(_GRID, -1, 3))
    after = np.asarray(_apply(samples, transform), np.int16)
    return bool(np.abs(after - np.asarray(samples.convert("RGB"), np.int16)).max() <= _SAME)


def _grey_table(transform: Any) -> list[int]:
    levels = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    return [*_apply(levels, transform).getchannel("G").tobytes()]


def _apply(image: Image.Image, transform: Any) -> Image.Image:
    from PIL import ImageCms

    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None  # it is None only where an image is changed in place
    return converted
