"""The face detector's network: from a grey picture to one answer per cell.

Legend: N pictures, H and W their sides in px, C cells (`train.detector.targets`).
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import layers

from train.detector.targets import STRIDES
from train.keypoints.network import normalised

# Filters and stride of each 3×3 convolution. Processors compute 16 filters at once, so others than
# multiples of 16 are wasted; half of the multiply-adds of such a network lie at full and half
# resolution, so the fewest are spent there. Larger faces are seen at coarse strides.
_BODY = (
    (16, 2), (16, 2), (32, 2), (32, 1), (32, 1), (32, 1),
    (48, 2), (48, 1), (48, 1), (32, 2), (32, 1),
)  # fmt: skip
_NECK = 32  # maps of each stride that answers
_HEADS = (8, 16)  # strides whose answer has a convolution of its own
_PRIOR = 0.01  # the chance of a face with which every cell begins
_TYPICAL = 2.5  # strides; the size of box with which every cell begins


def build(seed: int = 0) -> Any:
    """The detector, not compiled: 0.14 million parameters, 87 million multiply-adds at 320×240.

    Coarse maps are added to finer ones (Lin et al., 2017), so that a small face is judged with what
    lies around it; one convolution then answers at each stride.

    Returns:
        A Keras model from uint8 `(N, H, W, 1)`, grey 0–255, H and W multiples of 32, to float32
        `(N, C, 5)`: the logit of a face, and the box as `train.detector.losses.decode` reads it.
    """
    picture = keras.Input((None, None, 1), dtype="uint8", name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(picture)
    maps, stride = {}, 1
    for i, (filters, step) in enumerate(_BODY):
        x = normalised(x, filters, 3, step, f"convolution_{i + 1}", seed + i)
        stride *= step
        maps[stride] = x
    above, answers = None, {}
    for stride in sorted(STRIDES, reverse=True):
        name = f"stride_{stride}"
        x = layers.Conv2D(
            _NECK,
            1,
            kernel_initializer=keras.initializers.HeNormal(seed=seed + stride),
            name=f"{name}_side",
        )(maps[stride])
        if above is not None:
            x = layers.Add(name=f"{name}_sum")([x, layers.UpSampling2D(2)(above)])
        above = x
        x = layers.ReLU(name=f"{name}_relu")(x)
        if stride in _HEADS:
            x = normalised(x, _NECK, 3, 1, f"{name}_head", seed + stride + 1)
        answers[stride] = _answer(x, f"{name}_answer", seed + stride + 2)
    joined = layers.Concatenate(axis=1, name="answers")([answers[s] for s in STRIDES])
    return keras.Model(picture, joined, name="face")


def _answer(x: Any, name: str, seed: int) -> Any:
    kernel = keras.initializers.RandomNormal(0.0, 0.01, seed=seed)
    answer = layers.Conv2D(5, 1, kernel_initializer=kernel, name=name)
    x = answer(x)
    size = math.log(_TYPICAL)
    answer.bias.assign([-math.log((1 - _PRIOR) / _PRIOR), 0.0, 0.0, size, size])
    return layers.Reshape((-1, 5), name=f"{name}s")(x)
