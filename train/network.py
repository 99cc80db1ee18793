"""The networks, as Keras models from grey pictures to coordinates.

Legend: N faces, K keypoints (15), S side (96).
"""

from __future__ import annotations

import keras
from keras import layers

from edge.keypoints import KEYPOINT_NAMES
from train.data import SIDE
from train.losses import RMSE, accuracy, masked_mse

FEATURES = "middle_convolution_2"  # the layer whose output the error and face heads look at
_VALUES = 2 * len(KEYPOINT_NAMES)
_CENTRE = (SIDE - 1) / 2  # px
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
            convolution(128, 3, FEATURES, offset=2),  # (N, 12, 12, 128)
            layers.Flatten(),
            layers.Dropout(dropout, seed=seed),
            layers.Dense(_VALUES, kernel_initializer="zeros", name="prediction"),
            layers.Rescaling(_SPREAD, offset=_CENTRE),
        ],
        name="reference",
    )


def compile_reference(
    network: keras.Sequential, learning_rate: float, steps: int
) -> keras.Sequential:
    """Compile as the reference is trained: RMSProp, mean squared error over the labelled values.

    Args:
        network: from `reference`.
        learning_rate: the highest; it rises over the first 2 % of the steps, then falls to a
            hundredth along a half cosine.
        steps: optimiser steps of the whole training.
    """
    warmup = max(1, steps // 50)
    schedule = keras.optimizers.schedules.CosineDecay(
        learning_rate / 10,
        decay_steps=max(1, steps - warmup),
        alpha=0.01,
        warmup_target=learning_rate,
        warmup_steps=warmup,
    )
    # XLA, Keras's default on TensorFlow, makes this net two to four times slower on a CPU.
    jit: bool | str = False if keras.backend.backend() == "tensorflow" else "auto"
    network.compile(
        optimizer=keras.optimizers.RMSprop(schedule),
        loss=masked_mse,
        metrics=[RMSE(), accuracy],
        jit_compile=jit,
    )
    return network
