"""From a trained keypoint network to the model that is exported: with error radius and face score.

The network's own layers stay as they are.

- `error`, the 50 % radius, from the last convolution, averaged over a coarse grid. The median of a
  distance is what minimises the absolute difference to it (Koenker and Bassett, 1978), so the head
  is fitted, with that loss, to the distances by which the network misses held-out faces; then each
  keypoint's radius is scaled so that it holds half of the points of faces that the head has not
  seen: those of the other folds of a cross-validation.
- `face_score`, the chance of a face, taught on faces and non-faces
  (`train.keypoints.face_score`). What a detector takes for faces can be added to both
  (`train.score`).

Legend: N pictures, K keypoints (15), F features.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from edge.evaluation.metrics import distances
from edge.keypoints import KEYPOINT_NAMES, MIRROR_ORDER
from train.data.augmentation import change_faces
from train.data.faces import Faces
from train.errors import DataError
from train.keypoints.face_score import add_score, make_crops
from train.keypoints.losses import masked_absolute
from train.recipes import Recipe

# Cells per side of the grid over the last map; 4×4 were learnt by heart, and 2×2 held their
# calibration on other people's faces.
_ERROR_CELLS = 2
_COPIES = 8  # changed copies of each held-out face, to fit the radius on
_MILD_COPIES = 4  # moved, in their own light, to scale it on
_FOLDS = 4
_MIN_HELD_OUT = 3
_EPOCHS = 50
_BATCH_SIZE = 256
_DECAY = 1e-4  # L2, of the heads' weights


def add_heads(
    network: Any,
    training: Faces,
    held_out: Faces,
    photos: list[NDArray[np.uint8]],
    recipe: Recipe,
) -> Any:
    """Fit both heads and build the model that keeps the contract.

    Args:
        network: a trained network from `train.keypoints.network`.
        training: the faces it learnt from; they teach what a face is.
        held_out: faces it did not learn from; they teach how far it errs.
        photos: photos without faces, grey, uint8 `(H, W)` each; may be empty.
        recipe: how the faces are changed, on which sets the radius is scaled, and the seed.

    Returns:
        A Keras model from `face`, uint8 `(N, 96, 96, 1)`, to a dict: `keypoints` float32
        `(N, 15, 2)` px, `error` float32 `(N, 15)` px, `face_score` float32 `(N,)` 0–1.
    """
    rng = np.random.default_rng(recipe.seed)
    keras.utils.set_random_seed(recipe.seed)
    error_grid = _grid(network, _ERROR_CELLS)
    error, scale = _fit_error(network, error_grid, held_out, recipe, rng)
    faces, others = make_crops(training, photos, recipe.augmentation, rng)
    points = network.outputs[0]
    outputs = {
        "keypoints": layers.Reshape((len(KEYPOINT_NAMES), 2), name="keypoints")(points),
        "error": layers.Rescaling(scale.tolist(), name="error")(error(error_grid.outputs[0])),
        "face_score": add_score(network, faces, others, recipe.seed),
    }
    return keras.Model(network.inputs[0], outputs, name=network.name)


def replace_score(
    model: Any, faces: NDArray[np.uint8], others: NDArray[np.uint8], seed: int
) -> Any:
    """The model that `add_heads` built, with a `face_score` taught anew (`add_score`)."""
    outputs = {**model.output, "face_score": add_score(model, faces, others, seed)}
    return keras.Model(model.inputs[0], outputs, name=model.name)


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


def _last_map(network: Any) -> Any:
    """The output of the last layer that still has places, `(N, H, W, C)`."""
    return [layer.output for layer in network.layers if len(layer.output.shape) == 4][-1]


def _grid(network: Any, cells: int) -> Any:
    last = _last_map(network)
    side = round(last.shape[1] / cells)
    grid = layers.AveragePooling2D(side, name=f"mean_of_{cells}")(last)
    features = layers.Flatten(name=f"grid_of_{cells}")(grid)  # (N, F)
    return keras.Model(network.inputs[0], features)


def _fit_error(
    network: Any, grid: Any, held_out: Faces, recipe: Recipe, rng: np.random.Generator
) -> tuple[Any, NDArray[np.float64]]:
    mild = recipe.augmentation.moving_only()
    changed, moved = (
        change_faces(held_out.take(np.tile(np.arange(len(held_out)), copies)), how, rng)
        for copies, how in ((_COPIES, recipe.augmentation), (_MILD_COPIES, mild))
    )
    (features, missed), (test_features, test_missed) = (
        (_predict(grid, faces.images), _missed(network, faces)) for faces in (changed, moved)
    )
    groups = np.unique(held_out.groups, return_inverse=True)[1]
    fold = rng.permutation(groups.max() + 1)[groups] % _FOLDS  # (N,); a group lies in one fold
    trusted = np.isin(moved.sources, recipe.calibrate_on)
    if not trusted.any():
        trusted[:] = True
    ratio = np.full(test_missed.shape, np.nan)
    for k in np.unique(fold):
        inside, outside = np.tile(fold == k, _COPIES), np.tile(fold == k, _MILD_COPIES)
        head = _fit_radius(features[~inside], missed[~inside])
        radius = keras.ops.convert_to_numpy(head(test_features[outside]))
        ratio[outside] = test_missed[outside] / radius
    ratio[~trusted] = np.nan
    ratio = np.concatenate([ratio, ratio[:, list(MIRROR_ORDER)]])  # both sides are alike
    labelled = ~np.isnan(ratio).all(axis=0)
    scale = np.ones(len(KEYPOINT_NAMES))  # where none of these faces is labelled, as fitted
    scale[labelled] = np.nanmedian(ratio[:, labelled], axis=0)
    return _fit_radius(features, missed), scale


def _fit_radius(features: NDArray[np.float32], missed: NDArray[np.float64]) -> Any:
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
    model = keras.Sequential([keras.Input(features.shape[1:]), head])
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=masked_absolute, jit_compile=False)
    targets = missed.astype(np.float32)
    rng = np.random.default_rng(0)
    batches = -(-len(features) // _BATCH_SIZE)
    for _ in range(_EPOCHS):
        # By hand: `fit` takes longer to begin an epoch than to do it.
        for rows in np.array_split(rng.permutation(len(features)), batches):
            model.train_on_batch(features[rows], targets[rows])
    return head


def _missed(network: Any, faces: Faces) -> NDArray[np.float64]:
    points = _predict(network, faces.images).reshape(faces.keypoints.shape)
    return distances(points, faces.keypoints)


def _predict(model: Any, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(model.predict(images[..., None], batch_size=_BATCH_SIZE, verbose=0))
