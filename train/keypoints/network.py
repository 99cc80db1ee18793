"""The networks, as Keras models from grey pictures to coordinates.

Legend: N faces, K keypoints (15), S side (96).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

from edge.geometry.face_frame import MEAN_FACE
from edge.keypoints import KEYPOINT_NAMES
from train.data.faces import SIDE
from train.keypoints.losses import LOSSES, RMSE, accuracy
from train.recipes import FaceRecipe, Recipe

_VALUES = 2 * len(KEYPOINT_NAMES)
_CENTRE = (SIDE - 1) / 2  # px
# Filters and stride of each 3×3 convolution of `compact`.
_COMPACT = (
    (16, 2), (32, 2), (32, 1), (64, 2), (64, 1), (64, 1), (96, 2), (96, 1), (96, 1)
)  # fmt: skip
_BOTTLENECK = 48  # maps that the dense layer sees
_SPREAD = (
    16.0  # px; about the standard deviation of the coordinates, so the last layer works near 1
)


def reference(dropout: float = 0.3, seed: int = 0) -> keras.Sequential:
    """The reference CNN: four weight layers, one convolution in, two in the middle, one dense out.

    Args:
        dropout: share of the features dropped before the prediction layer while training, 0–1.
        seed: of the initial weights and of dropout.

    Returns:
        From uint8 `(N, 96, 96, 1)`, grey 0–255, to float32 `(N, 30)`: x and y of the 15 keypoints
        in `edge.KEYPOINT_NAMES` order, px of the picture. Not compiled.
    """

    def convolution(filters: int, size: int, name: str, offset: int = 0) -> layers.Layer:
        # Strides rather than pooling: as accurate here, and a quarter of the multiply-adds.
        return layers.Conv2D(
            filters,
            size,
            strides=2,
            padding="same",
            activation="relu",
            kernel_initializer=keras.initializers.HeNormal(seed=seed + offset),
            name=name,
        )

    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1), dtype="uint8", name="face"),
            layers.Rescaling(1 / 127.5, offset=-1.0),
            convolution(32, 5, "input_convolution"),  # (N, 48, 48, 32)
            convolution(64, 5, "middle_convolution_1", offset=1),  # (N, 24, 24, 64)
            convolution(128, 3, "middle_convolution_2", offset=2),  # (N, 12, 12, 128)
            layers.Flatten(),
            layers.Dropout(dropout, seed=seed),
            layers.Dense(_VALUES, kernel_initializer="zeros", name="prediction"),
            layers.Rescaling(_SPREAD, offset=_CENTRE),
        ],
        name="reference",
    )


def compact(dropout: float = 0.0, seed: int = 0) -> keras.Model:
    """The shipped CNN: nine 3×3 convolutions with batch normalisation, a bottleneck, a dense layer.

    Plain convolutions, because on small processors they run nearer to the peak than depthwise ones,
    and strides rather than pooling. Most of the multiply-adds lie at 24×24 and 12×12, most of the
    parameters at 6×6; 29.7 million and 0.39 million in all.

    Args:
        dropout: share of the features dropped before the prediction layer while training, 0–1.
        seed: of the initial weights and of dropout.

    Returns:
        As `reference`.
    """
    face = keras.Input((SIDE, SIDE, 1), dtype="uint8", name="face")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(face)
    for i, (filters, strides) in enumerate(_COMPACT):
        x = normalised(x, filters, 3, strides, f"convolution_{i + 1}", seed + i)
    x = normalised(x, _BOTTLENECK, 1, 1, "bottleneck", seed + len(_COMPACT))  # (N, 6, 6, 48)
    x = layers.Flatten()(x)
    if dropout:
        x = layers.Dropout(dropout, seed=seed)(x)
    mean = (MEAN_FACE.reshape(-1) - _CENTRE) / _SPREAD
    x = layers.Dense(
        _VALUES,
        kernel_initializer="zeros",
        bias_initializer=keras.initializers.Constant(mean.tolist()),
        name="prediction",
    )(x)
    return keras.Model(face, layers.Rescaling(_SPREAD, offset=_CENTRE)(x), name="compact")


NETWORKS: dict[str, Callable[[float, int], Any]] = {"reference": reference, "compact": compact}


def build(recipe: Recipe, steps_per_epoch: int) -> Any:
    """The recipe's network, compiled with its optimiser, loss and learning rate.

    Args:
        recipe: all settings.
        steps_per_epoch: optimiser steps of one epoch.
    """
    network = NETWORKS[recipe.network](recipe.dropout, recipe.seed)
    schedule = learning_rate(recipe, steps_per_epoch)
    optimizers = {
        "rmsprop": lambda: keras.optimizers.RMSprop(schedule),
        "adamw": lambda: keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay),
    }
    # XLA, Keras's default on TensorFlow, makes these nets two to four times slower on a CPU.
    jit: bool | str = False if keras.backend.backend() == "tensorflow" else "auto"
    network.compile(
        optimizer=optimizers[recipe.optimizer](),
        loss=LOSSES[recipe.loss],
        metrics=[RMSE(), accuracy],
        jit_compile=jit,
    )
    return network


def learning_rate(recipe: Recipe | FaceRecipe, steps_per_epoch: int) -> WarmHoldCool:
    """The rate rises over the first steps, stays, and falls over the recipe's last epochs."""
    cooldown = min(recipe.cooldown, recipe.epochs)
    return WarmHoldCool(
        recipe.learning_rate,
        warm=max(1, min(1000, recipe.epochs * steps_per_epoch // 50)),
        cool_from=(recipe.epochs - cooldown) * steps_per_epoch,
        end=recipe.epochs * steps_per_epoch,
    )


@keras.saving.register_keras_serializable("train")
class WarmHoldCool(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly, stays, and falls to a hundredth along a half cosine.

    Until it falls it does not depend on how long the run is, so a longer run can go on from a
    shorter one (Hu et al., 2024, call it warm-up, stable, decay).
    """

    def __init__(self, rate: float, warm: int, cool_from: int, end: int) -> None:
        """The highest `rate`, and the steps at which it is reached, begins to fall, has fallen."""
        self.rate, self.warm, self.cool_from, self.end = rate, warm, cool_from, end

    def __call__(self, step: Any) -> Any:
        """The rate at a step, scalar."""
        step = ops.cast(step, "float32")
        rising = ops.minimum((step + 1.0) / self.warm, 1.0)
        done = (step - self.cool_from) / max(1, self.end - self.cool_from)
        falling = 0.505 + 0.495 * ops.cos(math.pi * ops.clip(done, 0.0, 1.0))
        return self.rate * rising * falling

    def get_config(self) -> dict[str, Any]:
        """What `__init__` takes."""
        names = ("rate", "warm", "cool_from", "end")
        return {name: getattr(self, name) for name in names}


def normalised(x: Any, filters: int, size: int, strides: int, name: str, seed: int) -> Any:
    """A convolution, batch normalisation and ReLU, named `name` and after it."""
    x = layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer=keras.initializers.HeNormal(seed=seed),
        name=name,
    )(x)
    x = layers.BatchNormalization(name=f"{name}_normalised")(x)
    return layers.ReLU(name=f"{name}_relu")(x)
