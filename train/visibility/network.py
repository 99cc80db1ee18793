"""The visibility network: a few convolutions on the crop of a face, and a number per keypoint.

Crops are normalised inside the network, so that light and contrast matter little.

Legend: N faces, S side of a crop (48), K keypoints (15).
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from edge.keypoints import KEYPOINT_NAMES
from edge.networks.visibility_model import SIDE

# Of each convolution: channels, stride, side of the kernel. 2.2 million multiply-adds a face.
_CONVOLUTIONS = ((16, 2, 5), (24, 2, 3), (28, 1, 3), (32, 2, 3), (32, 1, 3))
_NARROW = 13  # channels that the last layer sees of each place
_FLATNESS = 1e-4  # added to the variance of a crop, of values 0–1
# Loss beyond which a keypoint that is labelled as seen is left out: in some photos it is covered
# from the start, as by dark glasses, and no label says so.
_MAX_LOSS = 2.5
UNKNOWN = -1.0  # the label of a keypoint of which nothing is known


def build() -> keras.Model:
    """The network that is trained: from uint8 `(N, S, S, 1)` to float32 logits `(N, K)`."""
    inputs = layers.Input((SIDE, SIDE, 1), dtype="uint8", name="face")
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.LayerNormalization(
        axis=(1, 2, 3), center=False, scale=False, epsilon=_FLATNESS, name="contrast"
    )(x)
    for channels, stride, kernel in (*_CONVOLUTIONS, (_NARROW, 1, 1)):
        x = layers.Conv2D(channels, kernel, stride, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
    outputs = layers.Dense(len(KEYPOINT_NAMES), dtype="float32", name="answers")(
        layers.Flatten()(x)
    )
    return keras.Model(inputs, outputs, name="visibility")


@keras.saving.register_keras_serializable("train")
def known_crossentropy(seen: Any, logits: Any) -> Any:
    """The mean binary cross-entropy of the keypoints of which something is known.

    It is truncated (Zhang and Sabuncu, 2018) for those that are labelled as seen.
    """
    is_known = ops.cast(seen >= 0, "float32")
    losses = ops.softplus(logits) - ops.maximum(seen, 0.0) * logits
    losses = ops.where(seen == 1, ops.minimum(losses, _MAX_LOSS), losses)
    return ops.sum(losses * is_known) / ops.maximum(ops.sum(is_known), 1.0)


def with_output(trained: keras.Model) -> keras.Model:
    """The network from `build` with the output that `edge` reads, probabilities `visible`."""
    inputs = layers.Input((SIDE, SIDE, 1), dtype="uint8", name="face")
    return keras.Model(inputs, {"visible": ops.sigmoid(trained(inputs))}, name="visibility")
