"""Residual networks with one dense layer each for keypoints, 68 points, errors and face score.

Plain 3×3 convolutions, into which export folds the batch normalisation: small processors run them
closer to their peak than depthwise ones, in int8 too. Most multiply-adds are at 12×12 and 6×6 px,
where capacity reduces the error most.

Legend: N faces, K keypoints (15), S side (96).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from edge.geometry.face_frame import MEAN_FACE
from edge.geometry.points68 import COUNT_68
from edge.keypoints import KEYPOINT_NAMES
from train.data.faces import SIDE
from train.keypoints.network import normalised

_CENTRE = (SIDE - 1) / 2  # px
_SPREAD = 16.0  # px; about the standard deviation of the coordinates
_INITIAL_ERROR = 1.5  # px
_SCORE_FILTERS = 32  # of each of the two feature maps that the face score is computed from
_SCORE_MAP_SIDE = 12  # px, of the finer one; the coarser one is the last
_SCORE_JOINT_FILTERS = 48
_SCORE_UNITS = 32
POINTS = 2 * (len(KEYPOINT_NAMES) + COUNT_68)  # coordinates, those of the keypoints first
ERRORS = len(KEYPOINT_NAMES)


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a residual network.

    Attributes:
        stem: filters of the first convolution, whose stride is 2.
        stages: filters and number of residual blocks of each stage; each halves the side.
        bottleneck: channels of the 6×6 feature map that the dense layers read.
    """

    stem: int
    stages: tuple[tuple[int, int], ...]
    bottleneck: int


SHAPES = {
    "default": Shape(16, ((32, 1), (64, 2), (128, 2)), 64),  # 64.0 million multiply-adds
    "small": Shape(16, ((32, 0), (64, 1), (96, 2)), 48),  # 32.5 million
    "teacher": Shape(32, ((64, 1), (128, 2), (256, 3)), 96),  # for distillation only
}


def residual(shape: Shape, seed: int = 0, name: str = "residual") -> Any:
    """A network for training, with all predictions in one tensor.

    Args:
        shape: its size.
        seed: of the initial weights.
        name: of the model.

    Returns:
        A Keras model from uint8 `(N, 96, 96, 1)` to float32 `(N, POINTS + ERRORS + 1)`: x and y of
        the keypoints and of the 68 points, px of the crop; the keypoints' uncalibrated errors, px;
        and the logit of the face score.
    """
    face = keras.Input((SIDE, SIDE, 1), dtype="uint8", name="face")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(face)
    x = normalised(x, shape.stem, 3, 2, "stem", seed)
    score_map = x
    for i, (filters, blocks) in enumerate(shape.stages):
        x = normalised(x, filters, 3, 2, f"stage_{i + 1}", seed + 100 * i)
        for j in range(blocks):
            x = _block(x, filters, f"block_{i + 1}_{j + 1}", seed + 100 * i + 10 * (j + 1))
        score_map = x if x.shape[1] == _SCORE_MAP_SIDE else score_map
    score = _score(score_map, x, seed + 2000)
    x = normalised(x, shape.bottleneck, 1, 1, "bottleneck", seed + 1000)
    features = layers.Flatten(name="features")(x)
    outputs = [*_points(features), _error(features), score]
    return keras.Model(face, layers.Concatenate(name="all_answers")(outputs), name=name)


def to_contract(network: Any, scale: Any) -> Any:
    """A model with the outputs that `export` and `edge` expect, sharing a trained network's layers.

    Args:
        network: from `residual`.
        scale: `(15,)`, the factor of each keypoint's error.

    Returns:
        A Keras model from `face` to a dict: `keypoints` float32 `(N, 15, 2)` and `points68`
        `(N, 68, 2)` px, `error` `(N, 15)` px, `face_score` `(N,)` 0–1.
    """

    def prediction(name: str) -> Any:
        return network.get_layer(f"{name}_answers").output

    outputs = {
        "keypoints": layers.Reshape((ERRORS, 2), name="keypoints")(prediction("px_keypoints")),
        "points68": layers.Reshape((COUNT_68, 2), name="points68")(prediction("px_points68")),
        "error": layers.Rescaling(np.asarray(scale).tolist(), name="error")(prediction("error")),
        "face_score": ops.squeeze(ops.sigmoid(prediction("score")), axis=-1),
    }
    return keras.Model(network.inputs[0], outputs, name=network.name)


def _block(x: Any, filters: int, name: str, seed: int) -> Any:
    """A residual block: two convolutions and a skip connection."""
    y = normalised(x, filters, 3, 1, f"{name}_first", seed)
    y = layers.Conv2D(
        filters,
        3,
        padding="same",
        use_bias=False,
        kernel_initializer=keras.initializers.HeNormal(seed=seed + 1),
        name=f"{name}_second",
    )(y)
    y = layers.BatchNormalization(name=f"{name}_second_normalised", gamma_initializer="zeros")(y)
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_sum")([x, y]))


def _points(features: Any) -> list[Any]:
    """Coordinates, px, of the keypoints and of the 68 points."""
    coordinates = []
    for name, count in (("keypoints", ERRORS), ("points68", COUNT_68)):
        mean = (MEAN_FACE - _CENTRE) / _SPREAD if count == ERRORS else np.zeros((COUNT_68, 2))
        standardised = layers.Dense(
            2 * count,
            kernel_initializer="zeros",
            bias_initializer=keras.initializers.Constant(mean.reshape(-1).tolist()),
            dtype="float32",
            name=f"{name}_answers",
        )(features)
        scaling = layers.Rescaling(_SPREAD, offset=_CENTRE, name=f"px_{name}_answers")
        coordinates.append(scaling(standardised))
    return coordinates


def _error(features: Any) -> Any:
    """Errors, px; the initial bias is softplus's inverse of the initial error."""
    bias = float(np.log(np.expm1(_INITIAL_ERROR)))
    return layers.Dense(
        ERRORS,
        activation="softplus",
        kernel_initializer="zeros",
        bias_initializer=keras.initializers.Constant(bias),
        name="error_answers",
    )(features)


def _score(fine: Any, coarse: Any, seed: int) -> Any:
    """The logit of the face score from the 12×12 and the 6×6 feature map.

    The finer one tells what covers a face, the coarser one whether the whole is a face.
    """
    fine = normalised(fine, _SCORE_FILTERS, 3, 2, "score_fine", seed)
    coarse = normalised(coarse, _SCORE_FILTERS, 1, 1, "score_coarse", seed + 1)
    x = layers.Concatenate(name="score_maps")([fine, coarse])
    x = normalised(x, _SCORE_JOINT_FILTERS, 3, 1, "score_joint", seed + 2)
    x = layers.Flatten(name="score_features")(x)
    initializer = keras.initializers.HeNormal(seed=seed + 3)
    x = layers.Dense(
        _SCORE_UNITS, activation="relu", kernel_initializer=initializer, name="score_hidden"
    )(x)
    initializer = keras.initializers.GlorotUniform(seed=seed + 4)
    return layers.Dense(1, kernel_initializer=initializer, name="score_answers")(x)
