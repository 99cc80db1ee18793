"""The training loop of the residual networks, with views rendered on the training device.

A run folder contains `last.keras` (the network with the optimizer's state), `average.npz`, a line
of `history.jsonl` for each checkpoint and, at the end, `network.keras` with the averaged weights.

Legend: B crops of a batch.
"""

from __future__ import annotations

import json
import math
import time
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
from train.keypoints.device_views import render, to_pool
from train.keypoints.keras_learner import KerasLearner
from train.keypoints.random_views import Views, ViewSource
from train.keypoints.residual_network import ERRORS, POINTS, SHAPES, residual
from train.recipes import JointRecipe

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
        self._learner = _make_learner(self._network, recipe)
        if options.resume and (folder / self._learner.CHECKPOINT).exists():
            self._learner.resume(folder)
        self._teacher = _load_teacher(options.teacher) if options.teacher else None
        self._source = ViewSource(faces)
        self._pool = to_pool(faces.images)
        self._first_step = self._learner.updates
        self._start = self._saved = time.monotonic()

    def run(self, executor: ThreadPoolExecutor) -> None:
        """Make the remaining steps; the views of the next one are drawn in the background."""
        following = executor.submit(self._draw, self._learner.updates, self.progress())
        while self.progress() < 1:
            views = following.result()
            step = self._learner.updates + 1
            following = executor.submit(self._draw, step, self.progress(step))
            self._step(views)
            is_due = time.monotonic() - self._saved > self._options.save_seconds
            if is_due and self.progress() < 1:  # `finish` writes the last checkpoint
                self._save()

    def progress(self, step: int | None = None) -> float:
        """The completed share of the training before a step (default: the next one), 0–1.

        The share of the samples, or of the time limit if that is larger.
        """
        step = self._learner.updates if step is None else step
        done = step * self._samples_per_step / self._recipe.samples
        if self._options.seconds:
            done = max(done, (time.monotonic() - self._start) / self._options.seconds)
        return min(done, 1.0)

    def finish(self) -> Any:
        """Write the last checkpoint and the averaged network, and return the latter."""
        self._save()
        self._learner.write_average(self._network)
        save(self._network, self._folder / NETWORK)
        return self._network

    @property
    def _samples_per_step(self) -> int:
        return self._recipe.batch_size * BATCHES_PER_STEP

    def _draw(self, step: int, progress: float) -> Views:
        rng = np.random.default_rng((self._recipe.seed, step))
        strength = _strength(self._recipe, progress)
        return self._source.draw(self._samples_per_step, rng, strength)

    def _step(self, views: Views) -> None:
        """Train on the batches of one step and update the average."""
        crops = render(self._pool, views, seed=self._learner.updates)
        targets = ops.convert_to_tensor(self._blend_teacher(crops, views.targets))
        rate = _learning_rate(self._recipe, self.progress())
        for batch in range(BATCHES_PER_STEP):
            # `render` degrades the first and the last crops: each batch gets its share of them.
            rows = slice(batch, None, BATCHES_PER_STEP)
            self._learner.learn(crops[rows], targets[rows], rate)
        self._learner.update_average()

    def _blend_teacher(self, crops: Any, targets: NDArray[np.float32]) -> NDArray[np.float32]:
        """The targets with the teacher's points blended in; unlabelled points remain NaN."""
        if self._teacher is None:
            return targets
        predicted = ops.convert_to_numpy(self._teacher.predict_on_batch(crops))[:, :POINTS]
        blended = targets.copy()
        blended[:, :POINTS] += _TEACHER_SHARE * (predicted - targets[:, :POINTS])
        return blended

    def _save(self) -> None:
        """Write a checkpoint."""
        self._learner.save(self._folder)
        self._saved = time.monotonic()
        self._report()

    def _report(self) -> None:
        """Append a line to the history and print a summary."""
        loss = None if self._learner.loss is None else float(self._learner.loss)
        seconds = self._saved - self._start
        steps = self._learner.updates - self._first_step
        line = {
            "samples": self._learner.updates * self._samples_per_step,
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


def _make_learner(network: Any, recipe: JointRecipe) -> Any:
    """PyTorch's own steps where Keras runs on PyTorch, since they are several times as fast."""
    if keras.backend.backend() == "torch":
        from train.keypoints.torch_learner import TorchLearner

        return TorchLearner(network, recipe, BATCHES_PER_STEP)
    return KerasLearner(network, recipe, BATCHES_PER_STEP)


def _load_teacher(path: Path) -> Any:
    teacher = load(path)
    expected = (None, POINTS + ERRORS + 1)
    if getattr(teacher, "output_shape", None) != expected:
        raise RunError(f"{path}: expected network.keras of a keypoints run, output {expected}")
    return teacher


def _learning_rate(recipe: JointRecipe, progress: float) -> float:
    """Linear warm-up, constant until `hold`, then a half cosine down to a hundredth."""
    warm_up = min(1.0, (progress + 1e-4) / _WARM_UP)
    decay = max(0.0, (progress - recipe.hold) / (1 - recipe.hold))
    return recipe.learning_rate * warm_up * (0.505 + 0.495 * math.cos(math.pi * decay))


def _strength(recipe: JointRecipe, progress: float) -> float:
    """The strength of the random changes: 1 until `hold`, then falling along a line.

    From the middle of the remaining training on it is `final_strength`: the last samples resemble
    what the device's refinement passes see.
    """
    decay = min(max(0.0, 2 * (progress - recipe.hold) / (1 - recipe.hold)), 1.0)
    return 1 - (1 - recipe.final_strength) * decay
