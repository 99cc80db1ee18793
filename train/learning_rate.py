"""The learning rate schedule of every training: warm-up, stable, decay."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from train.recipes import FaceRecipe, Recipe

_MAX_WARMUP_STEPS = 1000
_STEPS_PER_WARMUP_STEP = 50  # the warm-up is 2 % of all steps


def make_schedule(recipe: Recipe | FaceRecipe, steps_per_epoch: int) -> WarmupStableDecay:
    """The schedule of a recipe: warm-up over the first steps, decay over the last epochs.

    Args:
        recipe: its `learning_rate`, `epochs` and `cooldown` are used.
        steps_per_epoch: optimizer steps of one epoch.
    """
    steps = recipe.epochs * steps_per_epoch
    cooldown = min(recipe.cooldown, recipe.epochs)
    return WarmupStableDecay(
        recipe.learning_rate,
        warm=max(1, min(_MAX_WARMUP_STEPS, steps // _STEPS_PER_WARMUP_STEP)),
        cool_from=(recipe.epochs - cooldown) * steps_per_epoch,
        end=steps,
    )


# The registered name and the names in `get_config` are stored in model files.
@keras.saving.register_keras_serializable("train", name="WarmHoldCool")
class WarmupStableDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up, a constant rate, then half a cosine down to a hundredth (Hu et al., 2024).

    Before the decay the rate does not depend on the length of the training, so that a longer
    training can continue a shorter one.
    """

    def __init__(self, rate: float, warm: int, cool_from: int, end: int) -> None:
        """Create a schedule.

        Args:
            rate: the maximum.
            warm: steps of the warm-up.
            cool_from: step at which the decay starts.
            end: step at which the decay ends.
        """
        self.rate = rate
        self.warm = warm
        self.cool_from = cool_from
        self.end = end

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step, scalar."""
        step = ops.cast(step, "float32")
        warmup = ops.minimum((step + 1.0) / self.warm, 1.0)
        progress = (step - self.cool_from) / max(1, self.end - self.cool_from)
        decay = 0.505 + 0.495 * ops.cos(math.pi * ops.clip(progress, 0.0, 1.0))
        return self.rate * warmup * decay

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`, for saving."""
        names = ("rate", "warm", "cool_from", "end")
        return {name: getattr(self, name) for name in names}
