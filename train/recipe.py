"""Every setting of a training run, as frozen values with defaults that work."""

from __future__ import annotations

from dataclasses import dataclass, field

from train.augment import Augmentation


@dataclass(frozen=True, slots=True)
class Recipe:
    """The settings of a training run.

    Attributes:
        name: what the run is called.
        epochs: passes over the training rows, at most.
        batch_size: faces per optimiser step.
        learning_rate: the highest, see `train.network.compile_reference`.
        dropout: share of the features dropped before the prediction layer, 0–1.
        patience: epochs without a better validation RMSE before training stops.
        validation_share: share of the rows held out, 0–1.
        seed: of the split, the initial weights, dropout, the order and every random change.
        augmentation: how far the random changes of a face go.
    """

    name: str
    epochs: int = 150
    batch_size: int = 64
    learning_rate: float = 3e-4
    dropout: float = 0.3
    patience: int = 60
    validation_share: float = 0.15
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)


RECIPES = {recipe.name: recipe for recipe in (Recipe(name="reference"),)}
