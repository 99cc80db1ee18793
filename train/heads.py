"""From a trained keypoint network to the model that is exported: with error radius and face score.

The network's own layers stay as they are. Two small heads look at the mean of its last convolution:

- `error`, the 50 % radius. The median of a distance is what minimises the absolute difference to it
  (Koenker and Bassett, 1978), so the head is fitted to the distances the network misses held-out
  faces by, with that loss.
- `face_score`, a logistic regression between faces and non-faces.

Legend: N pictures, K keypoints (15), F features.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from edge.keypoints import KEYPOINT_NAMES
from edge.metrics import distances
from train.augment import Augmentation, augment
from train.data import Faces
from train.losses import masked_absolute
from train.network import FEATURES
from train.nonfaces import make_nonfaces

_COPIES = 12  # changed copies of each held-out face
_EPOCHS = 60
_BATCH_SIZE = 256


def add_heads(
    network: keras.Sequential,
    training: Faces,
    held_out: Faces,
    photos: list[NDArray[np.uint8]],
    augmentation: Augmentation,
    seed: int,
) -> Any:
    """Fit both heads and build the model that keeps the contract.

    Args:
        network: a trained network from `train.network.reference`.
        training: the faces it learnt from; they teach what a face is.
        held_out: faces it did not learn from; they teach how far it errs.
        photos: photos without faces, grey, uint8 `(H, W)` each; may be empty.
        augmentation: how the faces are changed, as in training.
        seed: of every random choice.

    Returns:
        A Keras model from `face`, uint8 `(N, 96, 96, 1)`, to a dict: `keypoints` float32
        `(N, 15, 2)` px, `error` float32 `(N, 15)` px, `face_score` float32 `(N,)` 0–1.
    """
    rng = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    features = _features(network)
    changed = _changed_copies(held_out, _COPIES, augmentation, rng)
    error = _fit_error(network, features, changed)
    faces = np.concatenate([changed.images, _changed_copies(training, 3, augmentation, rng).images])
    nonfaces = make_nonfaces(training.images, photos, len(faces), rng)
    score = _fit_score(features, faces, nonfaces)

    pooled, points = features.outputs[0], network.outputs[0]
    outputs = {
        "keypoints": layers.Reshape((len(KEYPOINT_NAMES), 2), name="keypoints")(points),
        "error": error(pooled),
        "face_score": ops.squeeze(score(pooled), axis=-1),
    }
    return keras.Model(network.inputs[0], outputs, name=network.name)


def _features(network: keras.Sequential) -> Any:
    last = network.get_layer(FEATURES).output
    return keras.Model(network.inputs[0], layers.GlobalAveragePooling2D()(last))  # (N, F)


def _changed_copies(
    faces: Faces, copies: int, augmentation: Augmentation, rng: np.random.Generator
) -> Faces:
    rows = np.tile(np.arange(len(faces)), copies)
    pairs = [augment(faces.images[r], faces.keypoints[r], augmentation, rng) for r in rows]
    images, keypoints = zip(*pairs, strict=True)
    return Faces(np.stack(images), np.stack(keypoints), faces.ids[rows])


def _fit_error(network: Any, features: Any, faces: Faces) -> Any:
    pixels = faces.images[..., None]
    points = network.predict(pixels, batch_size=_BATCH_SIZE, verbose=0)
    missed = distances(points.reshape(faces.keypoints.shape), faces.keypoints)  # (N, K)
    start = np.log(np.expm1(np.nanmedian(missed, axis=0)))  # softplus of it is the median
    head = layers.Dense(
        len(KEYPOINT_NAMES),
        activation="softplus",
        kernel_initializer="zeros",
        bias_initializer=keras.initializers.Constant(start),
        name="error",
    )
    return _fit_head(head, _predict(features, pixels), missed.astype(np.float32), masked_absolute)


def _fit_score(features: Any, faces: NDArray[np.uint8], nonfaces: NDArray[np.uint8]) -> Any:
    pixels = np.concatenate([faces, nonfaces])[..., None]
    is_face = np.repeat([[1.0], [0.0]], [len(faces), len(nonfaces)], axis=0)
    head = layers.Dense(1, activation="sigmoid", name="face_score")
    return _fit_head(head, _predict(features, pixels), is_face, "binary_crossentropy")


def _predict(features: Any, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(features.predict(pixels, batch_size=_BATCH_SIZE, verbose=0))


def _fit_head(
    head: Any, inputs: NDArray[np.float32], targets: NDArray[np.floating], loss: Any
) -> Any:
    model = keras.Sequential([keras.Input(inputs.shape[1:]), head])
    model.compile(optimizer=keras.optimizers.Adam(3e-3), loss=loss, jit_compile=False)
    model.fit(inputs, targets, batch_size=_BATCH_SIZE, epochs=_EPOCHS, verbose=0)
    return head
