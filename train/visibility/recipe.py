"""Settings of a training of the visibility network."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VisibilityRecipe:
    """Settings of a run.

    Attributes:
        name: of the recipe.
        turns: renderings of each face from other directions, in which it hides parts of itself, in
            the mean.
        covers: number of synthetic occlusions of each photo of a face; all views are drawn once,
            before the training, two of each.
        turned_covers: likewise of each rendering.
        masked_covers: likewise of each face with a real mask, and of those around it.
        cycles: how often the learning rate decays from the highest to 0, along a cosine.
        epochs: passes over the views in each cycle.
        batch_size: views per step.
        learning_rate: the highest.
        weight_decay: of AdamW.
        seed: of views and weights.
    """

    name: str = "visibility"
    turns: float = 0.5
    covers: int = 4
    turned_covers: int = 4
    masked_covers: int = 3
    cycles: int = 2
    epochs: int = 8
    batch_size: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3
    seed: int = 0
