"""`face_score`: the chance that a crop holds a face, from a branch of the keypoint network.

The branch starts from the network's own map at a quarter of the crop's side, whose filters know
what edges of faces look like, and learns all else itself: what the deeper layers keep is what the
keypoints need, and masks, profiles and false alarms look alike in it. On held-out candidates of a
detector a head on those layers found 82 % of the faces at 90 % precision, this branch 94 %.

Legend: N crops, S their side (96).
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from train.data.augmentation import Augmentation, change_faces, change_light, random_matrix, warp
from train.data.faces import SIDE, Faces
from train.data.negatives import make_nonfaces
from train.keypoints.network import WarmHoldCool, normalised
from train.torch_layers import hasten

Crops = NDArray[np.uint8]

# Filters and stride of each 3×3 convolution.
_BRANCH = ((32, 2), (32, 1), (48, 2), (48, 1))
_FROM = SIDE // 4  # px, side of the map it starts from
_MAPS_DROPPED, _DROPPED = 0.2, 0.3
_COPIES, _FACES = 8, 12_000  # of a face, and in all at most; and as many non-faces
_BATCH_SIZE, _EPOCHS = 128, 16
_MOST_STEPS = 7000  # of many crops fewer epochs are enough
_RATE, _WEIGHT_DECAY = 2e-3, 0.05
_WARM, _COOL_FROM = 0.1, 0.3  # of all steps
# A detector's boxes are a little off, and photos of any light; what hides a face stays to be seen.
_CHANGES = Augmentation(
    turn_deg=8.0, scale=0.12, shift=0.04, contrast=0.2, gamma=0.2, low_resolution=0.1, noise=6.0,
    repairs=0, erase=0.0,
)  # fmt: skip


def make_crops(
    training: Faces,
    photos: list[NDArray[np.uint8]],
    augmentation: Augmentation,
    rng: np.random.Generator,
) -> tuple[Crops, Crops]:
    """Crops that teach what a face is: changed faces, and as many that are none, `(N, S, S)`."""
    rows = rng.choice(len(training), size=min(_FACES, _COPIES * len(training)))
    faces = change_faces(training.take(rows), augmentation, rng).images
    return faces, make_nonfaces(training.crops().images, photos, len(faces), rng)


def add_score(network: Any, faces: Crops, others: Crops, seed: int) -> Any:
    """Teach a branch what is a face; the network's own layers stay as they are.

    Args:
        network: a keypoint network, from `train.keypoints.network` or with heads already.
        faces: uint8 `(N, S, S)`, crops that hold a face.
        others: uint8 `(N, S, S)`, crops that do not.
        seed: of the weights to begin with, the order and the changes.

    Returns:
        `face_score`, `(N,)` 0–1, as a tensor on top of the network's input.
    """
    stem = keras.Model(network.inputs[0], _map_of(network))
    branch = _branch(stem.outputs[0].shape[1:], seed)
    _fit(stem, branch, faces, others, seed)
    x = stem.outputs[0]
    for layer in branch.layers[1:]:
        x = layer(x)
    return ops.squeeze(ops.sigmoid(x), axis=-1)


def _map_of(network: Any) -> Any:
    """The last map of the side that the branch starts from, `(N, 24, 24, C)`."""
    maps = [layer.output for layer in network.layers if not isinstance(layer.output, list | dict)]
    return [x for x in maps if len(x.shape) == 4 and x.shape[1] == _FROM][-1]


def _branch(shape: tuple[int, ...], seed: int) -> Any:
    start = x = keras.Input(shape)
    for i, (filters, strides) in enumerate(_BRANCH):
        x = normalised(x, filters, 3, strides, f"score_convolution_{i + 1}", seed + i)
    x = layers.SpatialDropout2D(_MAPS_DROPPED, seed=seed, name="score_maps_dropped")(x)
    x = layers.Flatten(name="score_features")(x)
    x = layers.Dropout(_DROPPED, seed=seed, name="score_dropped")(x)
    return keras.Model(start, layers.Dense(1, name="score_answer")(x))


def _fit(stem: Any, branch: Any, faces: Crops, others: Crops, seed: int) -> None:
    """Fit the branch to the maps of changed crops."""
    crops = np.concatenate([faces, others])
    is_face = (np.arange(len(crops)) < len(faces)).astype(np.float32)[:, None]
    batches = -(-len(crops) // _BATCH_SIZE)
    epochs = min(_EPOCHS, -(-_MOST_STEPS // batches))
    steps = epochs * batches
    rate = WarmHoldCool(
        _RATE, warm=max(1, int(_WARM * steps)), cool_from=int(_COOL_FROM * steps), end=steps
    )
    stem, learner = hasten(stem), hasten(branch)
    learner.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=_WEIGHT_DECAY),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        jit_compile=False,
    )
    learnt = enumerate(_batches(crops, batches, epochs, np.random.default_rng(seed)), start=1)
    for step, (changed, rows) in learnt:
        # By hand: `fit` takes longer to begin an epoch of few crops than to do it.
        learner.train_on_batch(stem.predict_on_batch(changed), is_face[rows])
        if step % batches == 0:
            print(f"face_score: epoch {step // batches} of {epochs}", flush=True)
    branch.set_weights(learner.get_weights())


def _batches(
    crops: Crops, count: int, epochs: int, rng: np.random.Generator
) -> Iterator[tuple[Crops, NDArray[np.int_]]]:
    """Batches of changed crops, `(B, S, S, 1)`, and their rows; `count` an epoch.

    The next is made in a thread beside the one that learns from the last.
    """

    def make(rows: NDArray[np.int_]) -> tuple[Crops, NDArray[np.int_]]:
        return np.stack([_change(crops[row], rng) for row in rows])[..., None], rows

    shuffle = np.random.default_rng(rng.integers(1 << 32))  # `rng` is the thread's from here on
    order = (
        rows
        for _ in range(epochs)
        for rows in np.array_split(shuffle.permutation(len(crops)), count)
    )
    with ThreadPoolExecutor(max_workers=1) as beside:
        coming = beside.submit(make, next(order))
        for rows in order:
            batch, coming = coming.result(), beside.submit(make, rows)
            yield batch
        yield coming.result()


def _change(crop: Crops, rng: np.random.Generator) -> Crops:
    if rng.random() < _CHANGES.mirror:
        crop = np.ascontiguousarray(crop[:, ::-1])
    return change_light(warp(crop, random_matrix(len(crop), _CHANGES, rng)), _CHANGES, rng)
