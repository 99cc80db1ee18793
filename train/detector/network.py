"""The network of the face detector: from a grey image to one prediction per cell.

Legend: N images, H and W their sides in px, C cells (`train.detector.loss`).
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import layers

from train.keypoints.network import normalised

# Filters, kernel side and stride of each convolution. Small processors spend as much on each pixel
# of a large map as on its multiply-adds, so the first convolution goes to a quarter of the
# resolution at once: with two of stride 2, which see the same 5×5 px, the detector took a tenth
# longer. Processors compute 8 or 16 filters at once; other numbers waste time. The second
# convolution of stride 1 at a sixteenth makes faces in crowds and behind masks easier to find. The
# coarsest cells see 253 px: with 157 px large faces that lie were taken to be upright.
_BACKBONE = (
    (24, 5, 4), (32, 3, 2), (64, 3, 2), (64, 3, 1), (64, 3, 1), (64, 3, 2), (64, 3, 1), (64, 3, 1),
)  # fmt: skip
STRIDES = (8, 16, 32)  # px, of the cells
_NECK_CHANNELS = 32
_HEAD_STRIDES = (8, 16)  # strides with a convolution of their own before the prediction
_PRIOR = 0.01  # initial score of every cell (Lin et al., 2018)
OUTPUTS = 7  # per cell: logit, offset x and y, log of width and height, cosine and sine of the roll
_TYPICAL_SIDE = 2.5  # strides; initial side of every box


def build(seed: int = 0) -> Any:
    """The detector: 0.24 million parameters, 68 million multiply-adds at 320×256.

    A feature pyramid (Lin et al., 2017) adds coarse maps to finer ones, so that small faces are
    detected with their context; a 1×1 convolution per stride predicts scores, boxes and rolls.

    Returns:
        A Keras model from uint8 `(N, H, W, 1)`, grey 0–255, H and W multiples of 32, to float32
        `(N, C, 7)`: the logit of a face, the box as `train.detector.loss` reads it, and a vector in
        the direction of the roll.
    """
    image = keras.Input((None, None, 1), dtype="uint8", name="image")
    maps = _backbone(image, seed)
    predictions = {}
    coarser = None
    for stride in sorted(STRIDES, reverse=True):
        name = f"stride_{stride}"
        coarser = _neck(maps[stride], coarser, name, seed + stride)
        x = layers.ReLU(name=f"{name}_relu")(coarser)
        if stride in _HEAD_STRIDES:
            x = normalised(x, _NECK_CHANNELS, 3, 1, f"{name}_head", seed + stride + 1)
        predictions[stride] = _predict(x, f"{name}_answer", seed + stride + 2)
    joined = layers.Concatenate(axis=1, name="answers")([predictions[s] for s in STRIDES])
    return keras.Model(image, joined, name="face")


def _backbone(image: Any, seed: int) -> dict[int, Any]:
    """The last feature map of each stride."""
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(image)
    maps = {}
    stride = 1
    for i, (filters, size, step) in enumerate(_BACKBONE):
        x = normalised(x, filters, size, step, f"convolution_{i + 1}", seed + i)
        stride *= step
        maps[stride] = x
    return maps


def _neck(features: Any, coarser: Any, name: str, seed: int) -> Any:
    """The feature map of one stride with that of the next coarser one added."""
    x = layers.Conv2D(
        _NECK_CHANNELS,
        1,
        kernel_initializer=keras.initializers.HeNormal(seed=seed),
        name=f"{name}_side",
    )(features)
    if coarser is None:
        return x
    return layers.Add(name=f"{name}_sum")([x, layers.UpSampling2D(2)(coarser)])


def _predict(x: Any, name: str, seed: int) -> Any:
    kernel = keras.initializers.RandomNormal(0.0, 0.01, seed=seed)
    prediction = layers.Conv2D(OUTPUTS, 1, kernel_initializer=kernel, name=name)
    x = prediction(x)
    log_side = math.log(_TYPICAL_SIDE)
    prediction.bias.assign(
        [-math.log((1 - _PRIOR) / _PRIOR), 0.0, 0.0, log_side, log_side, 1.0, 0.0]
    )
    return layers.Reshape((-1, OUTPUTS), name=f"{name}s")(x)
