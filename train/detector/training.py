"""Training of the face detector: what `python -m train.run --recipe face` does.

Canvases are composed where the network is trained: on a GPU if PyTorch has one, else on the
processor.
"""

from __future__ import annotations

import json
import math
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import keras
import torch

from train.checkpoints import copy_weights, save
from train.data.faces import hash_file
from train.detector.canvas import compose
from train.detector.draws import CANVAS, Drawer, Draws
from train.detector.learner import Learner
from train.detector.loss import Cells, Targets
from train.detector.network import build
from train.detector.photo_file import load_photos_with_boxes
from train.detector.photometric import Photometric
from train.detector.sampling import Sampling
from train.recipes import DetectorRecipe
from train.run_record import MODEL, RunPaths, describe, open_run, write_record

HISTORY = "history.jsonl"
_CHUNK = 16  # batches whose random numbers are drawn at once
_SAVE_SECONDS = 60.0
_WARM_UP_STEPS = 300  # over which the learning rate rises
_LAST_RATE = 0.005  # learning rate at the end, as a share of the highest


def train_detector(
    recipe: DetectorRecipe, paths: RunPaths, minutes: float | None = None
) -> dict[str, Any]:
    """Train the face detector and write the run folder.

    Args:
        recipe: all settings.
        paths: what is read and written; `data` are photos with boxes.
        minutes: time limit of this start; the learning rate decays towards it. None trains on all
            canvases of the recipe.

    Returns:
        What was written to `run.json`.

    Raises:
        DataError: a file is missing or wrong, or there are too few photos.
        RunError: the run folder or the initial model cannot be used.
    """
    photos = load_photos_with_boxes(paths.data)
    hashes = {paths.data.name: hash_file(paths.data)}
    if paths.start_model:
        hashes["start_from"] = hash_file(paths.start_model)
    record = {"kind": "detector", **describe(recipe, hashes, keras.backend.backend())}
    record["versions"]["torch"] = torch.__version__
    device = "cuda" if torch.cuda.is_available() else "cpu"
    sampling = Sampling(photos, recipe, device)
    record = open_run(paths, record)
    network = build(recipe.seed)
    if paths.start_model:
        copy_weights(network, paths.start_model)
    loop = _Loop(recipe, sampling, network, paths, minutes)
    loop.run()
    loop.finish(network)
    save(network, paths.output / MODEL)
    record["photos"] = len(photos)
    record["canvases"] = loop.canvases
    record["parameters"] = network.count_params()
    record["seconds_last_start"] = round(loop.seconds)
    write_record(record, paths.output)
    return record


class _Batch(NamedTuple):
    """What a step learns from."""

    draws: Draws
    images: torch.Tensor
    targets: Targets


class _Loop:
    """The state of a training between two batches."""

    def __init__(
        self,
        recipe: DetectorRecipe,
        sampling: Sampling,
        network: Any,
        paths: RunPaths,
        minutes: float | None,
    ) -> None:
        device = sampling.pool.pixels.device
        self._recipe = recipe
        self._sampling = sampling
        self._folder: Path = paths.output
        self._limit = minutes * 60 if minutes else math.inf
        self._drawer = Drawer(sampling.pool, sampling.weights, recipe.seed, recipe.max_roll_deg)
        self._photometric = Photometric(device, recipe.seed)
        self._cells = Cells(CANVAS, device)
        self._chunk: Draws | None = None
        self._learner = Learner(network, recipe, self._cells)
        if paths.resume and (self._folder / Learner.CHECKPOINT).exists():
            self._learner.resume(self._folder)
        self._start = self._reported = self._saved = time.monotonic()
        self._reported_steps = self._learner.steps

    @property
    def canvases(self) -> int:
        """How many canvases were learnt, in all starts."""
        return self._learner.steps * self._recipe.batch_size

    @property
    def seconds(self) -> float:
        """Since this start."""
        return time.monotonic() - self._start

    def run(self) -> None:
        """Make the remaining steps; on a processor a thread composes the next batch meanwhile."""
        is_parallel = self._sampling.pool.pixels.device.type == "cpu"
        with ThreadPoolExecutor(1) as thread:
            ahead: Future[_Batch] | None = None
            while (progress := self._progress()) < 1:
                step = self._learner.steps
                batch = ahead.result() if ahead else self._compose(step, self._draw(step))
                if is_parallel:
                    ahead = thread.submit(self._compose, step + 1, self._draw(step + 1))
                rate = self._learning_rate(progress)
                self._learner.learn(batch.images, batch.targets, rate)
                self._sampling.learn_hardness(batch.draws, self._learner.scores)
                if time.monotonic() - self._saved > _SAVE_SECONDS:
                    self._save()

    def _compose(self, step: int, draws: Draws) -> _Batch:
        """The canvases of a step and what the network is to output."""
        with torch.no_grad():
            pixels, rows = compose(self._sampling.pool, draws)
            return _Batch(draws, self._photometric(pixels, step), self._cells.assign(rows))

    def _draw(self, step: int) -> Draws:
        """The canvases of a step."""
        size = self._recipe.batch_size
        if self._chunk is None or step % _CHUNK == 0:
            self._sampling.update()
            self._chunk = self._drawer.draw(size * _CHUNK, step // _CHUNK)
        first = step % _CHUNK * size
        return self._chunk.take(slice(first, first + size))

    def finish(self, network: Any) -> None:
        """Write the last checkpoint, and give the network the averaged weights."""
        self._save()
        self._learner.write_average(network)

    def _progress(self) -> float:
        """The completed share of the canvases, or of the time limit if that is larger, 0–1."""
        return min(max(self.canvases / self._recipe.canvases, self.seconds / self._limit), 1.0)

    def _learning_rate(self, progress: float) -> float:
        """Linear warm-up, constant until `hold`, then a half cosine."""
        warm_up = min(1.0, (self._learner.steps + 1) / _WARM_UP_STEPS)
        decay = max(0.0, (progress - self._recipe.hold) / (1 - self._recipe.hold))
        falling = _LAST_RATE + (1 - _LAST_RATE) * (1 + math.cos(math.pi * decay)) / 2
        return self._recipe.learning_rate * warm_up * falling

    def _save(self) -> None:
        """Write a checkpoint and a line of the history, and print a summary."""
        self._learner.save(self._folder)
        now = time.monotonic()
        steps = self._learner.steps - self._reported_steps
        score, box, roll = (self._learner.losses / max(steps, 1)).tolist()
        rate = steps * self._recipe.batch_size / max(now - self._reported, 1e-9)
        line = {
            "canvases": self.canvases,
            "seconds": round(self.seconds, 1),
            "loss": {"score": score, "box": box, "roll": roll},
            "canvases_per_second": round(rate),
        }
        with (self._folder / HISTORY).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(
            f"{self._recipe.name}: {self._progress():.0%}, {self.canvases:,} canvases, "
            f"loss {score:.3f} + {box:.3f} + {roll:.3f}, {rate:,.0f} canvases/s",
            flush=True,
        )
        self._learner.losses.zero_()
        self._saved = self._reported = time.monotonic()
        self._reported_steps = self._learner.steps
