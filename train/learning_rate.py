"""The learning rate of every training: warm-up, stable, decay, by steps or by time."""

from __future__ import annotations

import math
import time
from typing import Any

import keras
import pandas as pd
from keras import ops

from train.recipes import Recipe

_MAX_WARMUP_STEPS = 1000
_STEPS_PER_WARMUP_STEP = 50  # the warm-up is 2 % of all steps
_MIN_SHARE = 0.01  # of the maximum, at the end of the decay
SECONDS = "seconds"  # column of history.csv: training time so far, of all starts


def make_schedule(recipe: Recipe, steps_per_epoch: int) -> WarmupStableDecay:
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


def rate_at(recipe: Recipe, progress: float) -> float:
    """The learning rate of a training with a time limit, the same curve over its progress.

    Args:
        recipe: its `learning_rate` and the share of `cooldown` in `epochs` are used.
        progress: completed share of the training, 0–1.
    """
    warmup = min(1.0, (progress + 1e-4) * _STEPS_PER_WARMUP_STEP)
    cooldown = min(recipe.cooldown, recipe.epochs) / recipe.epochs
    decay = max(0.0, 1 - (1 - progress) / cooldown) if cooldown else 0.0
    return recipe.learning_rate * warmup * float(_cosine_decay(decay))


def _cosine_decay(progress: Any) -> Any:
    """Half a cosine from 1 to `_MIN_SHARE`, at a share of the decay, 0–1."""
    middle = (1 + _MIN_SHARE) / 2
    return middle + (1 - middle) * ops.cos(math.pi * progress)


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
        return self.rate * warmup * _cosine_decay(ops.clip(progress, 0.0, 1.0))

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`, for saving."""
        names = ("rate", "warm", "cool_from", "end")
        return {name: getattr(self, name) for name in names}


class TimeLimit(keras.callbacks.Callback):
    """Ends training at the end of the epoch that is nearest to the limit.

    The learning rate follows the completed share of the time, or of the epochs if that is larger.
    """

    def __init__(self, recipe: Recipe, minutes: float, history: pd.DataFrame) -> None:
        """Continue `history`, which is empty for a new run."""
        super().__init__()
        self._recipe = recipe
        self._limit_s = minutes * 60
        self._before_s = 0.0 if history.empty else float(history[SECONDS].iloc[-1])
        self._epochs_before = len(history)
        self._epoch = self._epochs_before
        self._start = time.monotonic()

    @property
    def used_s(self) -> float:
        """Training time so far, of all starts."""
        return self._before_s + time.monotonic() - self._start

    @property
    def remaining_s(self) -> float:
        """Time until the limit, at least 0."""
        return max(0.0, self._limit_s - self.used_s)

    def is_over(self) -> bool:
        """Whether a further epoch would end later after the limit than training is before it."""
        mean_s = self.used_s / self._epoch if self._epoch else 0.0
        return self.used_s + mean_s / 2 >= self._limit_s

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the learning rate."""
        epochs = (self._epoch + batch / self.params["steps"]) / self._recipe.epochs
        progress = max(self.used_s / self._limit_s, epochs)
        self.model.optimizer.learning_rate = rate_at(self._recipe, min(progress, 1.0))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add the time to the logs, and stop if no further epoch fits."""
        self._epoch = epoch + 1
        if logs is not None:
            logs[SECONDS] = round(self.used_s, 1)
        if self.is_over():
            self.model.stop_training = True
