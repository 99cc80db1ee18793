"""Output heads added to a trained keypoint network: error radius and face score.

The network's own layers are frozen.

- `error`, the 50 % radius, is predicted from the last feature map, averaged over a coarse grid. The
  median minimises the absolute difference (Koenker and Bassett, 1978), so the head is fitted with
  that loss to the network's errors on validation faces. Each keypoint's radius is then scaled so
  that it contains half of the true points of faces from the other folds of a cross-validation.
- `face_score`, the probability of a face, is trained on crops with and without faces
  (`train.keypoints.face_score`); `train.score` adds a detector's proposals to both.

Legend: N images, K keypoints (15), F features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from edge.evaluation.metrics import distances
from edge.keypoints import KEYPOINT_NAMES, MIRROR_ORDER
from train.data.augmentation import augment_faces
from train.data.faces import Faces
from train.errors import DataError
from train.keypoints.face_score import add_score, make_crops
from train.keypoints.losses import masked_absolute
from train.keypoints.score_training import ScorePlan
from train.recipes import Recipe

# Cells per side of the grid over the last map: 4×4 overfitted, 2×2 stayed calibrated on faces of
# other people.
_ERROR_CELLS = 2
_FIT_COPIES = 8  # augmented copies of each validation face, to fit the radius
_SCALE_COPIES = 4  # copies with geometric augmentation only, to scale it
_FOLDS = 4
_MIN_FACES = 3
_EPOCHS = 50
_BATCH_SIZE = 256
_L2 = 1e-4  # of the head's weights


def add_heads(
    network: Any,
    training: Faces,
    held_out: Faces,
    photos: list[NDArray[np.uint8]],
    recipe: Recipe,
    plan: ScorePlan,
) -> Any:
    """Fit both heads and build the model that fulfils the contract of `edge`.

    Args:
        network: a trained network from `train.keypoints.network`.
        training: its training faces; the face score is trained on them.
        held_out: its validation faces; the error radius is fitted to them.
        photos: photos without faces, grey, uint8 `(H, W)` each; may be empty.
        recipe: augmentation, the sets on which the radius is scaled, and the seed.
        plan: how the face score is trained.

    Returns:
        A Keras model from `face`, uint8 `(N, 96, 96, 1)`, to a dict: `keypoints` float32
        `(N, 15, 2)` px, `error` float32 `(N, 15)` px, `face_score` float32 `(N,)` 0–1.
    """
    rng = np.random.default_rng(recipe.seed)
    keras.utils.set_random_seed(recipe.seed)
    error_grid = _grid(network, _ERROR_CELLS)
    error, scale = _fit_error(network, error_grid, held_out, recipe, rng)
    faces, background = make_crops(training, photos, recipe.augmentation, plan.samples, rng)
    points = network.outputs[0]
    outputs = {
        "keypoints": layers.Reshape((len(KEYPOINT_NAMES), 2), name="keypoints")(points),
        "error": layers.Rescaling(scale.tolist(), name="error")(error(error_grid.outputs[0])),
        "face_score": add_score(network, faces, background, plan),
    }
    return keras.Model(network.inputs[0], outputs, name=network.name)


def replace_score(
    model: Any, faces: NDArray[np.uint8], background: NDArray[np.uint8], plan: ScorePlan
) -> Any:
    """A model built by `add_heads` with a newly trained `face_score` (`add_score`)."""
    outputs = {**model.output, "face_score": add_score(model, faces, background, plan)}
    return keras.Model(model.inputs[0], outputs, name=model.name)


def check_labels(training: Faces, held_out: Faces) -> None:
    """Check that there are enough faces and labels for training and validation.

    Raises:
        DataError: there are too few faces, or a keypoint is labelled in none of them.
    """
    if len(held_out) < _MIN_FACES or len(training) < _MIN_FACES:
        raise DataError(
            f"too few different faces: {len(training)} for training and {len(held_out)} for "
            f"validation; at least {_MIN_FACES} each are needed, near-duplicates count as one"
        )
    missing = [np.isnan(faces.keypoints).all(axis=(0, 2)) for faces in (held_out, training)]
    unlabelled = np.any(missing, axis=0)
    if unlabelled.any():
        name = KEYPOINT_NAMES[int(np.flatnonzero(unlabelled)[0])]
        raise DataError(f"keypoint {name} has no label in the training or in the validation rows")


def _last_map(network: Any) -> Any:
    """The last feature map, `(N, H, W, C)`."""
    return [layer.output for layer in network.layers if len(layer.output.shape) == 4][-1]


def _grid(network: Any, cells: int) -> Any:
    last = _last_map(network)
    side = round(last.shape[1] / cells)
    grid = layers.AveragePooling2D(side, name=f"mean_of_{cells}")(last)
    features = layers.Flatten(name=f"grid_of_{cells}")(grid)  # (N, F)
    return keras.Model(network.inputs[0], features)


@dataclass(frozen=True, slots=True)
class _Sample:
    """Features `(N, F)` of augmented faces, and the network's errors on them, `(N, K)` px."""

    features: NDArray[np.float32]
    errors: NDArray[np.float64]


def _fit_error(
    network: Any, grid: Any, held_out: Faces, recipe: Recipe, rng: np.random.Generator
) -> tuple[Any, NDArray[np.float64]]:
    """The head that predicts the radius, and the scale of each keypoint's radius, `(K,)`."""
    fit_faces = augment_faces(_repeat(held_out, _FIT_COPIES), recipe.augmentation, rng)
    geometric = recipe.augmentation.moving_only()
    scale_faces = augment_faces(_repeat(held_out, _SCALE_COPIES), geometric, rng)
    fit_sample, scale_sample = (
        _Sample(_predict(grid, faces.images), _errors(network, faces))
        for faces in (fit_faces, scale_faces)
    )
    groups = np.unique(held_out.groups, return_inverse=True)[1]
    fold = rng.permutation(groups.max() + 1)[groups] % _FOLDS  # (N,); groups are not divided
    ratio = _cross_validate(fold, fit_sample, scale_sample)
    calibrating = np.isin(scale_faces.sources, recipe.calibrate_on)
    if calibrating.any():
        ratio[~calibrating] = np.nan
    return _fit_radius(fit_sample), _median_ratio(ratio)


def _repeat(faces: Faces, copies: int) -> Faces:
    return faces.take(np.tile(np.arange(len(faces)), copies))


def _cross_validate(
    fold: NDArray[np.int_], fit_sample: _Sample, scale_sample: _Sample
) -> NDArray[np.float64]:
    """Errors `(N, K)` divided by the radius that a head fitted on the other folds predicts."""
    ratio = np.full(scale_sample.errors.shape, np.nan)
    for k in np.unique(fold):
        others = np.tile(fold != k, _FIT_COPIES)
        rows = np.tile(fold == k, _SCALE_COPIES)
        head = _fit_radius(_Sample(fit_sample.features[others], fit_sample.errors[others]))
        radius = keras.ops.convert_to_numpy(head(scale_sample.features[rows]))
        ratio[rows] = scale_sample.errors[rows] / radius
    return ratio


def _median_ratio(ratio: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median of each keypoint and its mirror image, `(K,)`; 1 without labels."""
    ratio = np.concatenate([ratio, ratio[:, list(MIRROR_ORDER)]])
    labelled = ~np.isnan(ratio).all(axis=0)
    scale = np.ones(len(KEYPOINT_NAMES))
    scale[labelled] = np.nanmedian(ratio[:, labelled], axis=0)
    return scale


def _fit_radius(sample: _Sample) -> Any:
    """A dense head from features to radii, fitted by the absolute difference to the errors."""
    head = layers.Dense(
        len(KEYPOINT_NAMES),
        activation="softplus",
        kernel_initializer="zeros",
        kernel_regularizer=keras.regularizers.L2(_L2),
        bias_initializer=keras.initializers.Constant(_initial_bias(sample.errors)),
        name="unscaled_error",
    )
    model = keras.Sequential([keras.Input(sample.features.shape[1:]), head])
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=masked_absolute, jit_compile=False)
    targets = sample.errors.astype(np.float32)
    rng = np.random.default_rng(0)
    batches = -(-len(targets) // _BATCH_SIZE)
    for _ in range(_EPOCHS):
        # Not `fit`, which takes longer to start an epoch than to run it.
        for rows in np.array_split(rng.permutation(len(targets)), batches):
            model.train_on_batch(sample.features[rows], targets[rows])
    return head


def _initial_bias(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """The bias `(K,)` whose softplus is the median error of each keypoint."""
    median = np.full(len(KEYPOINT_NAMES), np.nanmedian(errors))
    labelled = ~np.isnan(errors).all(axis=0)
    median[labelled] = np.nanmedian(errors[:, labelled], axis=0)
    return np.asarray(np.log(np.expm1(median)))


def _errors(network: Any, faces: Faces) -> NDArray[np.float64]:
    """The distances of predicted from true keypoints, `(N, K)` px."""
    points = _predict(network, faces.images).reshape(faces.keypoints.shape)
    return distances(points, faces.keypoints)


def _predict(model: Any, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(model.predict(images[..., None], batch_size=_BATCH_SIZE, verbose=0))
