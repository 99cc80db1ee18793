"""From a trained keypoint network to the model that is exported: with error radius and face score.

The network's own layers stay as they are. Two linear heads look at its last convolution, averaged
over a coarse grid: where on the crop something is found tells a face from a texture.

- `error`, the 50 % radius. The median of a distance is what minimises the absolute difference to it
  (Koenker and Bassett, 1978), so the head is fitted, with that loss, to the distances by which the
  network misses held-out faces; then each keypoint's radius is scaled so that it holds half of the
  points of further faces, which the head has not seen either.
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
from train.errors import DataError
from train.losses import masked_absolute
from train.network import FEATURES
from train.nonfaces import make_nonfaces

# Side of the cells, in places of the 12×12 map. 4×4 cells told faces from non-faces best (area
# under the ROC curve 0.999, one cell 0.83); for the error they were learnt by heart, and 2×2 cells
# held their calibration on other people's faces.
_SCORE_CELL, _ERROR_CELL = 3, 6
_COPIES = 12  # changed copies of each held-out face
_TRAINING_COPIES = 3
_FIT_SHARE = 0.7  # of the held-out faces; the others scale the radius
_MIN_HELD_OUT = 3
_EPOCHS = 50
_BATCH_SIZE = 256
_DECAY = 1e-4  # L2, of the heads' weights


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
    score_grid, error_grid = (_grid(network, cell) for cell in (_SCORE_CELL, _ERROR_CELL))
    cut = round(_FIT_SHARE * len(held_out))
    order = rng.permutation(len(held_out))
    fitting, scaling = (
        _changed_copies(held_out.take(rows), _COPIES, augmentation, rng)
        for rows in (order[:cut], order[cut:])
    )
    error, scale = _fit_error(network, error_grid, fitting, scaling)
    learnt = _changed_copies(training, _TRAINING_COPIES, augmentation, rng)
    faces = np.concatenate([fitting.images, scaling.images, learnt.images])
    nonfaces = make_nonfaces(training.images, photos, len(faces), rng)
    score = _fit_score(score_grid, faces, nonfaces)
    points = network.outputs[0]
    outputs = {
        "keypoints": layers.Reshape((len(KEYPOINT_NAMES), 2), name="keypoints")(points),
        "error": layers.Rescaling(scale.tolist(), name="error")(error(error_grid.outputs[0])),
        "face_score": ops.squeeze(score(score_grid.outputs[0]), axis=-1),
    }
    return keras.Model(network.inputs[0], outputs, name=network.name)


def check_labels(training: Faces, held_out: Faces) -> None:
    """Refuse data on which nothing can be learnt or measured.

    Raises:
        DataError: too few faces are held out, or a keypoint is labelled in none of them.
    """
    if len(held_out) < _MIN_HELD_OUT or len(training) < _MIN_HELD_OUT:
        raise DataError(
            f"too few different faces: {len(training)} to learn from and {len(held_out)} held out; "
            f"at least {_MIN_HELD_OUT} each are needed, near-duplicates count as one"
        )
    unlabelled = np.isnan(held_out.keypoints).all(axis=(0, 2)) | np.isnan(training.keypoints).all(
        axis=(0, 2)
    )
    if unlabelled.any():
        name = KEYPOINT_NAMES[int(np.flatnonzero(unlabelled)[0])]
        raise DataError(f"keypoint {name} has no label in the training or in the held-out rows")


def _grid(network: keras.Sequential, cell: int) -> Any:
    last = network.get_layer(FEATURES).output
    grid = layers.AveragePooling2D(cell, name=f"mean_of_{cell}")(last)
    features = layers.Flatten(name=f"grid_of_{cell}")(grid)  # (N, F)
    return keras.Model(network.inputs[0], features)


def _changed_copies(
    faces: Faces, copies: int, augmentation: Augmentation, rng: np.random.Generator
) -> Faces:
    rows = np.tile(np.arange(len(faces)), copies)
    pairs = [augment(faces.images[r], faces.keypoints[r], augmentation, rng) for r in rows]
    images, keypoints = zip(*pairs, strict=True)
    return Faces(np.stack(images), np.stack(keypoints), faces.ids[rows])


def _fit_error(
    network: Any, features: Any, fitting: Faces, scaling: Faces
) -> tuple[Any, NDArray[np.float64]]:
    missed = _missed(network, fitting)  # (N, K)
    typical = np.full(len(KEYPOINT_NAMES), np.nanmedian(missed))
    labelled = ~np.isnan(missed).all(axis=0)
    typical[labelled] = np.nanmedian(missed[:, labelled], axis=0)
    start = np.log(np.expm1(typical))  # softplus of it is the typical distance
    head = layers.Dense(
        len(KEYPOINT_NAMES),
        activation="softplus",
        kernel_initializer="zeros",
        kernel_regularizer=keras.regularizers.L2(_DECAY),
        bias_initializer=keras.initializers.Constant(start),
        name="unscaled_error",
    )
    _fit_head(head, _predict(features, fitting.images), missed, masked_absolute)
    radius = keras.ops.convert_to_numpy(head(_predict(features, scaling.images)))
    ratio = _missed(network, scaling) / radius
    labelled = ~np.isnan(ratio).all(axis=0)
    scale = np.ones(len(KEYPOINT_NAMES))  # where none of these faces is labelled, as fitted
    scale[labelled] = np.nanmedian(ratio[:, labelled], axis=0)
    return head, scale


def _fit_score(features: Any, faces: NDArray[np.uint8], nonfaces: NDArray[np.uint8]) -> Any:
    inputs = _predict(features, np.concatenate([faces, nonfaces]))
    is_face = np.repeat([[1.0], [0.0]], [len(faces), len(nonfaces)], axis=0)
    head = layers.Dense(
        1,
        activation="sigmoid",
        kernel_regularizer=keras.regularizers.L2(_DECAY),
        name="face_probability",
    )
    _fit_head(head, inputs, is_face, "binary_crossentropy")
    return head


def _missed(network: Any, faces: Faces) -> NDArray[np.float64]:
    points = _predict(network, faces.images).reshape(faces.keypoints.shape)
    return distances(points, faces.keypoints)


def _predict(model: Any, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(model.predict(images[..., None], batch_size=_BATCH_SIZE, verbose=0))


def _fit_head(
    head: Any, inputs: NDArray[np.float32], targets: NDArray[np.floating], loss: Any
) -> None:
    model = keras.Sequential([keras.Input(inputs.shape[1:]), head])
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss, jit_compile=False)
    targets = targets.astype(np.float32)
    model.fit(inputs, targets, batch_size=_BATCH_SIZE, epochs=_EPOCHS, verbose=0)
