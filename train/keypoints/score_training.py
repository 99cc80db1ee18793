"""Training of the branch that predicts `face_score`, as long as the run's length warrants.

The number of crops is bounded by a share of those that the keypoints were trained on, so that a
short run ends soon after its keypoints. A checkpoint is written at intervals; order, augmentation
and dropout depend on seed and step alone, so that an interrupted training continues as if it had
not been interrupted.

Legend: N crops, B crops of a batch, S their side (96).
"""

from __future__ import annotations

import hashlib
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edge.errors import first_line
from edge.files import write_atomically
from train.checkpoints import restore_dropout
from train.data.augmentation import Augmentation, change_light, random_matrix, warp
from train.epoch_loop import describe_time
from train.errors import RunError
from train.learning_rate import WarmupStableDecay

Crops = NDArray[np.uint8]

CHECKPOINT = "face_score.npz"
# Of the crops that the keypoints were trained on. One crop takes about as long as one of theirs, so
# that the branch takes about a quarter of their time after `train.run`. In `train.score`, which
# trains nothing else and has many more crops, it may take as long.
SHARE_OF_RUN = 0.25
SHARE_OF_SCORE = 1.0
_MIN_SAMPLES = 2560  # a few seconds; with fewer the branch has learned nothing
_MAX_EPOCHS = 16
_MAX_SAMPLES = 600_000  # more do not improve it
_BATCH_SIZE = 128
_LEARNING_RATE = 2e-3
_WEIGHT_DECAY = 0.05
_WARMUP_SHARE = 0.1  # of all steps
_DECAY_FROM_SHARE = 0.3  # of all steps
_SAVE_SECONDS = 30.0  # between checkpoints
_PRINT_SECONDS = 10.0  # between lines of progress
# For the inaccuracy of a detector's boxes and the light of photos; no synthetic occlusion, because
# the branch is to learn from real occluders.
_AUGMENTATION = Augmentation(
    turn_deg=8.0, scale=0.12, shift=0.04, contrast=0.2, gamma=0.2, low_resolution=0.1, noise=6.0,
    repairs=0, erase=0.0,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ScorePlan:
    """How the branch is trained.

    Attributes:
        samples: maximum number of crops to train on, each time it is drawn counted; from
            `count_samples`.
        seed: of the initial weights, the order, the augmentation and dropout.
        checkpoint: file of the training's state; a training of the same crops continues from it.
            None keeps no state.
        start_from: a `model.keras` whose branch the training starts with; None starts anew.
    """

    samples: int
    seed: int
    checkpoint: Path | None = None
    start_from: Path | None = None


def count_samples(keypoint_samples: int, share: float) -> int:
    """The crops to train on after a training of the keypoints on `keypoint_samples` crops."""
    return max(_MIN_SAMPLES, int(share * keypoint_samples))


def train_branch(
    stem: Any, learner: Any, crops: Crops, is_face: NDArray[np.float32], plan: ScorePlan
) -> None:
    """Train the branch on the feature maps of augmented crops.

    Args:
        stem: the frozen layers before the branch, from crops `(B, S, S, 1)` to feature maps.
        learner: the branch, from feature maps to logits `(B, 1)`; trained in place.
        crops: uint8 `(N, S, S)`.
        is_face: `(N, 1)`, 1 where the crop shows a face, else 0.
        plan: length, seed and checkpoint.

    Raises:
        RunError: the checkpoint cannot be read.
    """
    steps = _count_steps(len(crops), plan.samples)
    learner.compile(
        optimizer=keras.optimizers.AdamW(_schedule(steps), weight_decay=_WEIGHT_DECAY),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        jit_compile=False,
    )
    state = _Checkpoint(plan, _fingerprint(stem, crops, is_face, plan))
    first = state.restore(learner)
    progress = _Progress(first, steps)
    batches = _Batches(crops, plan.seed)
    with ThreadPoolExecutor(max_workers=1) as thread:
        following = thread.submit(batches.make, first)
        for step in range(first, steps):
            augmented, rows = following.result()
            if step + 1 < steps:
                following = thread.submit(batches.make, step + 1)
            # Not `fit`, which takes longer to start an epoch of few crops than to run it.
            learner.train_on_batch(stem.predict_on_batch(augmented), is_face[rows])
            state.save_if_due(learner, step + 1)
            progress.print_if_due(step + 1)


def _count_steps(crops: int, samples: int) -> int:
    """Optimizer steps of a training on at most `samples` of the crops."""
    samples = min(samples, _MAX_EPOCHS * crops, _MAX_SAMPLES)
    return max(1, round(samples * _count_batches(crops) / crops))


def _count_batches(crops: int) -> int:
    return -(-crops // _BATCH_SIZE)


def _schedule(steps: int) -> WarmupStableDecay:
    return WarmupStableDecay(
        _LEARNING_RATE,
        warm=max(1, int(_WARMUP_SHARE * steps)),
        cool_from=int(_DECAY_FROM_SHARE * steps),
        end=steps,
    )


def _fingerprint(stem: Any, crops: Crops, is_face: NDArray[np.float32], plan: ScorePlan) -> str:
    """SHA-256, hexadecimal, of everything that determines a training but the branch."""
    digest = hashlib.sha256(repr((plan.samples, plan.seed)).encode())
    for array in (crops, is_face, *stem.get_weights()):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


class _Batches:
    """Batches of augmented crops, each determined by seed and step."""

    def __init__(self, crops: Crops, seed: int) -> None:
        self._crops = crops
        self._seed = seed
        self._count = _count_batches(len(crops))  # per epoch
        self._order = lru_cache(maxsize=1)(self._draw_order)

    def make(self, step: int) -> tuple[Crops, NDArray[np.int64]]:
        """Augmented crops, `(B, S, S, 1)`, and their rows, `(B,)`."""
        epoch, batch = divmod(step, self._count)
        rows = np.array_split(self._order(epoch), self._count)[batch]
        rng = np.random.default_rng((self._seed, epoch, batch + 1))
        return np.stack([_augment(self._crops[row], rng) for row in rows])[..., None], rows

    def _draw_order(self, epoch: int) -> NDArray[np.int64]:
        return np.random.default_rng((self._seed, epoch)).permutation(len(self._crops))


def _augment(crop: Crops, rng: np.random.Generator) -> Crops:
    if rng.random() < _AUGMENTATION.mirror:
        crop = np.ascontiguousarray(crop[:, ::-1])
    moved = warp(crop, random_matrix(len(crop), _AUGMENTATION, rng))
    return change_light(moved, _AUGMENTATION, rng)


class _Checkpoint:
    """The state of an unfinished training, in a file or nowhere."""

    def __init__(self, plan: ScorePlan, fingerprint: str) -> None:
        self._path = plan.checkpoint
        self._seed = plan.seed
        self._fingerprint = fingerprint
        self._saved = time.monotonic()

    def restore(self, learner: Any) -> int:
        """Load the state of this training, if there is one; returns the steps it has made."""
        if self._path is None or not self._path.exists():
            return 0
        variables = self._variables(learner)
        try:
            with np.load(self._path, allow_pickle=False) as arrays:
                if str(arrays["fingerprint"]) != self._fingerprint:
                    return 0  # of other crops, or after another network
                step = int(arrays["step"])
                values = [arrays[f"arr_{i}"] for i in range(len(variables))]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise RunError(
                f"{self._path}: cannot be read ({first_line(error)}); delete it to train the face "
                "score from the beginning"
            ) from error
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        restore_dropout(learner, self._seed, step)
        return step

    def save_if_due(self, learner: Any, step: int) -> None:
        """Write the state after `step` steps, unless it was written a short time ago."""
        if self._path is None or time.monotonic() - self._saved < _SAVE_SECONDS:
            return
        values = [keras.ops.convert_to_numpy(variable) for variable in self._variables(learner)]
        with write_atomically(self._path) as part:
            np.savez(part, *values, fingerprint=self._fingerprint, step=step)
        self._saved = time.monotonic()

    @staticmethod
    def _variables(learner: Any) -> list[Any]:
        learner.optimizer.build(learner.trainable_variables)
        return [*learner.weights, *learner.optimizer.variables]


class _Progress:
    """Lines with the completed share and the remaining time."""

    def __init__(self, first: int, steps: int) -> None:
        self._first = first
        self._steps = steps
        self._start = self._printed = time.monotonic()

    def print_if_due(self, step: int) -> None:
        """Print a line, unless one was printed a short time ago; always after the last step."""
        now = time.monotonic()
        if step < self._steps and now - self._printed < _PRINT_SECONDS:
            return
        self._printed = now
        remaining_s = (now - self._start) / (step - self._first) * (self._steps - step)
        print(
            f"face_score: {step / self._steps:.0%}, {describe_time(remaining_s)} left", flush=True
        )
