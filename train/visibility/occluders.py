"""The kinds of occluders, and how often each is drawn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from train.visibility.hands import hand
from train.visibility.layer import Layer, Scene
from train.visibility.objects import (
    border,
    microphone,
    person,
    photo_patch,
    scratches,
    shadow,
    thing,
)
from train.visibility.wearables import clear_glasses, hair, hat, mask, scarf, sunglasses

Draw = Callable[[Scene, np.random.Generator], Layer]

# Each with its share among the occluded views.
OCCLUDERS: dict[str, tuple[Draw, float]] = {
    "hand": (hand, 4.0),
    "mask": (mask, 3.0),
    "scarf": (scarf, 1.5),
    "sunglasses": (sunglasses, 3.0),
    "hat": (hat, 1.5),
    "hair": (hair, 1.5),
    "thing": (thing, 3.0),
    "microphone": (microphone, 1.0),
    "photo": (photo_patch, 2.5),
    "person": (person, 1.5),
    "border": (border, 1.5),
}
# What hides nothing, so that not every change of a face counts as hidden.
DISTRACTIONS: dict[str, tuple[Draw, float]] = {
    "clear_glasses": (clear_glasses, 2.0),
    "shadow": (shadow, 2.0),
    "scratches": (scratches, 0.5),
}


def draw_kind(kinds: dict[str, tuple[Draw, float]], rng: np.random.Generator) -> str:
    """The name of a kind, drawn by the shares."""
    weights = np.array([share for _, share in kinds.values()])
    return str(rng.choice(list(kinds), p=weights / weights.sum()))
