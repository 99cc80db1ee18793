"""Settings of a training of the eye network."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EyeRecipe:
    """Settings of a run.

    Attributes:
        name: of the recipe.
        views: random views of each eye; all are drawn once, before the training.
        epochs: passes over them.
        batch_size: views per step.
        learning_rate: the highest; it decays to 0 along a cosine.
        weight_decay: of AdamW.
        dropout: share of the features before the dense layer.
        seed: of views and weights.
    """

    name: str = "eyes"
    views: int = 20
    epochs: int = 8
    batch_size: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3
    dropout: float = 0.05
    seed: int = 1
