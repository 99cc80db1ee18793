"""The training loop of the residual networks, with views rendered on the training device.

A run folder contains `last.keras` (the network with the optimizer's state), `average.npz`, a line
of `history.jsonl` for each checkpoint and, at the end, `network.keras` with the averaged weights.

Legend: B crops of a batch.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from train.checkpoints import copy_weights, load, save
from train.data.labelled_faces import LabelledFaces
from train.errors import RunError
from train.keypoints.averaging import WeightAverage
from train.keypoints.device_views import render, to_pool
from train.keypoints.joint_loss import joint_loss
from train.keypoints.random_views import Views, ViewSource
from train.keypoints.residual_network import ERRORS, POINTS, SHAPES, residual
from train.recipes import JointRecipe
from train.run_record import LAST
from train.torch_layers import with_torch_layers

AVERAGE = "average.npz"
NETWORK = "network.keras"
HISTORY = "history.jsonl"
BATCHES_PER_STEP = 8  # rendered together; the average is updated after them
_WARM_UP = 0.01  # share of the training over which the learning rate rises
_TEACHER_SHARE = 0.6  # of the teacher's points in the targets; the labels have the rest


@dataclass(frozen=True, slots=True)
class Options:
    """How one start of a training proceeds.

    Attributes:
        seconds: time limit of this start; the learning rate decays towards it. None: no limit.
        save_seconds: interval between checkpoints.
        teacher: a `network.keras` whose predictions are blended into the labels.
        start_from: a `network.keras` whose weights a new training starts with.
        resume: continue from the last checkpoint, if there is one.
    """

    seconds: float | None = None
    save_seconds: float = 60.0
    teacher: Path | None = None
    start_from: Path | None = None
    resume: bool = False


def train_jointly(
    recipe: JointRecipe, faces: LabelledFaces, folder: Path, options: Options | None = None
) -> Any:
    """Train a residual network, with checkpoints in `folder`.

    Args:
        recipe: all settings.
        faces: the padded crops of the training set.
        folder: the run folder; it exists.
        options: time limit, checkpoints and initial weights.

    Returns:
        The network with the averaged weights.

    Raises:
        RunError: the checkpoint, the teacher or the initial network cannot be read, or has another
            architecture.
    """
    loop = _Loop(recipe, faces, folder, options or Options())
    with ThreadPoolExecutor(max_workers=1) as executor:
        loop.run(executor)
    return loop.finish()


class _Loop:
    """The state of a training between two steps of `BATCHES_PER_STEP` batches."""

    def __init__(
        self, recipe: JointRecipe, faces: LabelledFaces, folder: Path, options: Options
    ) -> None:
        keras.utils.set_random_seed(recipe.seed)
        self._recipe = recipe
        self._folder = folder
        self._options = options
        self._network = residual(SHAPES[recipe.shape], recipe.seed, recipe.name)
        if options.start_from:
            copy_weights(self._network, options.start_from)
        self._learner = with_torch_layers(self._network)
        _compile(self._learner, recipe)
        self._average = WeightAverage(self._learner, recipe.momentum**BATCHES_PER_STEP)
        if options.resume and (folder / LAST).exists():
            self._resume()
        self._teacher = _load_teacher(options.teacher) if options.teacher else None
        self._source = ViewSource(faces)
        self._pool = to_pool(faces.images)
        self._learn = _step_function(self._learner)
        self._loss: Any = None
        self._first_step = self._average.updates
        self._start = self._saved = time.monotonic()

    def run(self, executor: ThreadPoolExecutor) -> None:
        """Make the remaining steps; the views of the next one are drawn in the background."""
        following = executor.submit(self._draw, self._average.updates)
        while self.progress() < 1:
            views = following.result()
            following = executor.submit(self._draw, self._average.updates + 1)
            self._step(views)
            is_due = time.monotonic() - self._saved > self._options.save_seconds
            if is_due and self.progress() < 1:  # `finish` writes the last checkpoint
                self._save()

    def progress(self) -> float:
        """The completed share of the training, 0–1: of the samples or of the time limit."""
        done = self._average.updates * self._samples_per_step / self._recipe.samples
        if self._options.seconds:
            done = max(done, (time.monotonic() - self._start) / self._options.seconds)
        return min(done, 1.0)

    def finish(self) -> Any:
        """Write the last checkpoint and the averaged network, and return the latter."""
        self._save()
        self._network.set_weights(self._average.weights())
        save(self._network, self._folder / NETWORK)
        return self._network

    @property
    def _samples_per_step(self) -> int:
        return self._recipe.batch_size * BATCHES_PER_STEP

    def _draw(self, step: int) -> Views:
        rng = np.random.default_rng((self._recipe.seed, step))
        return self._source.draw(self._samples_per_step, rng)

    def _step(self, views: Views) -> None:
        """Train on the batches of one step and update the average."""
        crops = render(self._pool, views, seed=self._average.updates)
        targets = ops.convert_to_tensor(self._blend_teacher(crops, views.targets))
        self._learner.optimizer.learning_rate = _learning_rate(self._recipe, self.progress())
        for batch in range(BATCHES_PER_STEP):
            # `render` degrades the first and the last crops: each batch gets its share of them.
            rows = slice(batch, None, BATCHES_PER_STEP)
            self._loss = self._learn(crops[rows], targets[rows])
        self._average.update()

    def _blend_teacher(self, crops: Any, targets: NDArray[np.float32]) -> NDArray[np.float32]:
        """The targets with the teacher's points blended in; unlabelled points remain NaN."""
        if self._teacher is None:
            return targets
        predicted = ops.convert_to_numpy(self._teacher.predict_on_batch(crops))[:, :POINTS]
        blended = targets.copy()
        blended[:, :POINTS] += _TEACHER_SHARE * (predicted - targets[:, :POINTS])
        return blended

    def _resume(self) -> None:
        """Restore weights, average and optimizer state of the last checkpoint."""
        path = self._folder / LAST
        saved = load(path)
        self._average.load(self._folder / AVERAGE)
        # An interruption between the two files leaves an average that is one checkpoint newer.
        self._average.updates = int(saved.optimizer.iterations) // BATCHES_PER_STEP
        optimizer = self._learner.optimizer
        optimizer.build(self._learner.trainable_variables)
        try:
            self._learner.set_weights(saved.get_weights())
            for variable, value in zip(optimizer.variables, saved.optimizer.variables, strict=True):
                variable.assign(value)
        except ValueError as error:
            raise RunError(f"{path}: has another architecture than {self._recipe.name}") from error

    def _save(self) -> None:
        """Write a checkpoint."""
        self._average.save(self._folder / AVERAGE)
        save(self._learner, self._folder / LAST)
        self._saved = time.monotonic()
        self._report()

    def _report(self) -> None:
        """Append a line to the history and print a summary."""
        loss = None if self._loss is None else float(ops.convert_to_numpy(self._loss))
        seconds = self._saved - self._start
        steps = self._average.updates - self._first_step
        line = {
            "samples": self._average.updates * self._samples_per_step,
            "seconds": round(seconds, 1),
            "loss": loss,
            "samples_per_second": round(steps * self._samples_per_step / max(seconds, 1e-9)),
        }
        with (self._folder / HISTORY).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(
            f"{self._recipe.name}: {self.progress():.0%}, {line['samples']:,} samples, "
            f"loss {'–' if loss is None else f'{loss:.3f}'}, "
            f"{line['samples_per_second']:,} samples/s",
            flush=True,
        )


def _compile(learner: Any, recipe: JointRecipe) -> None:
    optimizer = keras.optimizers.AdamW(recipe.learning_rate, weight_decay=recipe.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    # XLA slows these networks on CPUs, and the PyTorch layers cannot be traced.
    jit: bool | str = False if keras.backend.backend() in ("tensorflow", "torch") else "auto"
    learner.compile(optimizer=optimizer, loss=joint_loss, jit_compile=jit)


def _load_teacher(path: Path) -> Any:
    teacher = load(path)
    expected = (None, POINTS + ERRORS + 1)
    if getattr(teacher, "output_shape", None) != expected:
        raise RunError(f"{path}: expected network.keras of a keypoints run, output {expected}")
    return with_torch_layers(teacher)


def _step_function(learner: Any) -> Callable[[Any, Any], Any]:
    """A function that trains on one batch and returns its loss."""
    if keras.backend.backend() != "torch":
        return lambda images, targets: learner.train_on_batch(images, targets)
    learner.make_train_function()

    def learn(images: Any, targets: Any) -> Any:
        # `train_on_batch` waits for the device after each step, to return a number.
        return learner.train_function([(images, targets)])["loss"]

    return learn


def _learning_rate(recipe: JointRecipe, progress: float) -> float:
    """Linear warm-up, constant until `hold`, then a half cosine down to a hundredth."""
    warm_up = min(1.0, (progress + 1e-4) / _WARM_UP)
    decay = max(0.0, (progress - recipe.hold) / (1 - recipe.hold))
    return recipe.learning_rate * warm_up * (0.505 + 0.495 * math.cos(math.pi * decay))
