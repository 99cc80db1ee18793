"""The keypoint networks, as Keras models from grey images to coordinates.

Legend: N faces, K keypoints (15), S side (96).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

from edge.geometry.face_frame import MEAN_FACE
from edge.keypoints import KEYPOINT_NAMES
from train.data.faces import SIDE
from train.epoch_loop import jit_mode
from train.keypoints.losses import LOSSES, RMSE, accuracy
from train.learning_rate import make_schedule
from train.recipes import Recipe

_VALUES = 2 * len(KEYPOINT_NAMES)
_CENTRE = (SIDE - 1) / 2  # px
# Filters and stride of each 3×3 convolution of `compact`.
_COMPACT = (
    (16, 2), (32, 2), (32, 1), (64, 2), (64, 1), (64, 1), (96, 2), (96, 1), (96, 1)
)  # fmt: skip
_BOTTLENECK = 48  # channels before the dense layer
# px; about the standard deviation of the coordinates, so that the last layer's outputs are near 1.
_SPREAD = 16.0


def reference(dropout: float = 0.3, seed: int = 0) -> keras.Sequential:
    """The reference CNN: three convolutions and a dense layer.

    Args:
        dropout: share of the features dropped before the prediction layer while training, 0–1.
        seed: of the initial weights and of dropout.

    Returns:
        A model, not compiled, from uint8 `(N, 96, 96, 1)`, grey 0–255, to float32 `(N, 30)`: x and
        y of the 15 keypoints in `edge.KEYPOINT_NAMES` order, px of the crop.
    """

    def convolution(filters: int, size: int, name: str, offset: int = 0) -> layers.Layer:
        # Strides instead of pooling: equally accurate here, a quarter of the multiply-adds.
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
    """The compact CNN: nine 3×3 convolutions with batch normalisation, a bottleneck, a dense layer.

    Plain convolutions, because on small processors they run closer to peak throughput than
    depthwise ones, and strides instead of pooling. Most of the 29.7 million multiply-adds are at
    24×24 and 12×12, most of the 0.39 million parameters at 6×6.

    Args:
        dropout: share of the features dropped before the prediction layer while training, 0–1.
        seed: of the initial weights and of dropout.

    Returns:
        A model as that of `reference`; before training it predicts the mean face.
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
    """The recipe's network, compiled with its optimizer, loss and learning rate schedule.

    Args:
        recipe: all settings.
        steps_per_epoch: optimizer steps of one epoch.
    """
    network = NETWORKS[recipe.network](recipe.dropout, recipe.seed)
    # With a time limit, `train.learning_rate.TimeLimit` sets the rate before each step.
    rate = recipe.learning_rate if recipe.minutes else make_schedule(recipe, steps_per_epoch)
    optimizers = {
        "rmsprop": lambda: keras.optimizers.RMSprop(rate),
        "adamw": lambda: keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay),
    }
    network.compile(
        optimizer=optimizers[recipe.optimizer](),
        loss=LOSSES[recipe.loss],
        metrics=[RMSE(), accuracy],
        jit_compile=jit_mode(),
    )
    return network


def normalised(x: Any, filters: int, size: int, strides: int, name: str, seed: int) -> Any:
    """Convolution, batch normalisation and ReLU; `name` is that of the convolution."""
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
