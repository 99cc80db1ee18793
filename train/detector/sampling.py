"""How often each photo is drawn, and for what.

Legend: P photos of the pool.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from train.detector.backgrounds import SUFFIX, cut_backgrounds
from train.detector.draws import Draws, Weights
from train.detector.photos import Photo
from train.detector.pool import DevicePool, make_pool
from train.detector.variants import make_variant
from train.errors import DataError
from train.recipes import DetectorRecipe

# Shares of variants among the photos that are drawn (`train.detector.variants`).
_COVERED_SHARE = 0.3
_HAT_SHARE = 0.13
_DRAWN_SHARE = 0.15
_CUT_SHARE = 0.5  # of the backgrounds are parts of photos that show faces elsewhere
# Backgrounds on which the network fires are drawn more often: the frequency of a photo is
# proportional to its hardness, a moving average of its highest score, plus a constant.
_FIRST_HARDNESS = 0.3
_LEAST_HARDNESS = 0.1
_HARDNESS_RATE = 0.3


class Sampling:
    """The pool of a run, and the weights of its photos, which follow the network.

    Attributes:
        pool: photos and their variants on the device.
        weights: the current frequencies.
    """

    def __init__(self, photos: list[Photo], recipe: DetectorRecipe, device: str) -> None:
        """Make the variants of the photos and move everything to a device.

        Raises:
            DataError: there are no faces, no photos that show one face alone, or no photos without
                a face.
        """
        variants = [
            make_variant(photo, photo.source in recipe.masked, np.random.default_rng((7, number)))
            for number, photo in enumerate(photos)
        ]
        made = [variant for variant in variants if variant is not None]
        cut = [
            background
            for number, photo in enumerate(photos)
            if len(photo.boxes)
            for background in cut_backgrounds(photo, np.random.default_rng((8, number)))
        ]
        self.pool, kept = make_pool([*photos, *cut, *made], device)
        is_variant = np.repeat([False, True], [len(photos) + len(cut), len(made)])[kept]
        self.weights = _make_weights(self.pool, is_variant, recipe)
        self._negative = self.weights.negative.clone()
        self._hardness = torch.full_like(self._negative, _FIRST_HARDNESS)

    def learn_hardness(self, draws: Draws, scores: Tensor) -> None:
        """Note the highest score `(N,)` of background cells of canvases that show no photo."""
        alone = ~draws.base.active.any(1) & (draws.plain < 0)
        unknown = torch.full_like(self._hardness, -1.0)
        known = scores.masked_fill(~alone, -1.0)
        highest = unknown.scatter_reduce(0, draws.background.photos, known, "amax")
        moved = torch.lerp(self._hardness, highest, _HARDNESS_RATE)
        self._hardness = torch.where(highest >= 0, moved, self._hardness)

    def update(self) -> None:
        """Let the frequencies follow the hardness."""
        self.weights.negative.copy_(self._negative * (_LEAST_HARDNESS + self._hardness))


def _make_weights(
    pool: DevicePool, is_variant: NDArray[np.bool_], recipe: DetectorRecipe
) -> Weights:
    counts = pool.face_counts.cpu().numpy()
    rows = pool.used.sum(1).cpu().numpy()
    sources = np.array(pool.sources)
    is_cut = np.char.endswith(sources, SUFFIX)
    device = pool.pixels.device
    kinds = {
        "one": (counts == 1) & (rows == 1) & ~np.isin(sources, recipe.masked),
        "several": (counts > 0) & (rows > 1) & ~np.isin(sources, recipe.masked),
        "masked": (counts > 0) & np.isin(sources, recipe.masked),
        "none": (rows == 0) & ~is_cut,
        "cut": is_cut,
    }
    shares = {
        "one": _COVERED_SHARE,
        "several": _COVERED_SHARE,
        "masked": _HAT_SHARE,
        "none": _DRAWN_SHARE,
        "cut": 0.0,  # has no variants
    }

    def mix(parts: dict[str, float]) -> Tensor:
        weights = np.zeros(len(pool))
        for kind, part in parts.items():
            for of_kind, share in ((is_variant, shares[kind]), (~is_variant, 1 - shares[kind])):
                chosen = kinds[kind] & of_kind
                weights[chosen] = part * share / max(chosen.sum(), 1)
        return torch.tensor(weights / weights.sum(), dtype=torch.float32, device=device)

    if not kinds["one"].any() or not kinds["none"].any():
        raise DataError(
            f"too few photos of {', '.join(name for name, _ in recipe.photos)}: "
            f"{kinds['one'].sum()} with one face alone and {kinds['none'].sum()} without a face"
        )
    return Weights(
        mix(dict(recipe.single_shares)),
        mix(dict(recipe.mosaic_shares)),
        mix({"one": 1.0}),
        mix({"none": 1 - _CUT_SHARE, "cut": _CUT_SHARE}),
    )
