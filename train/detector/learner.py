"""Optimizer steps of the detector in PyTorch; on a GPU each is one replayed CUDA graph.

Legend: N canvases of a batch.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from train.detector.loss import Cells, Targets, detection_loss
from train.recipes import DetectorRecipe
from train.torch_layers import supports_bfloat16
from train.torch_twin.trainer import TwinTrainer, capture

_BETAS = (0.9, 0.99)
_MAX_GRADIENT_NORM = 5.0
_NOT_COUNTED = -20.0  # logit that stands for cells that are not background


class Learner(TwinTrainer):
    """A network in training: its twin, the optimizer and the moving average of the weights.

    Attributes:
        losses: `(3,)`, sums of the parts of the loss since they were last read.
        scores: `(N,)`, the highest score of a background cell of each canvas of the last batch.
    """

    def __init__(self, network: Any, recipe: DetectorRecipe, cells: Cells) -> None:
        """Start with the weights of a network (`train.detector.network.build`)."""
        super().__init__(
            network,
            cells.centres.device,
            lr=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            betas=_BETAS,
        )
        self._cells = cells
        self._parameters = list(self._twin.parameters())
        self._average_rate = torch.ones((), device=self._device)
        self._momentum = recipe.momentum
        self._graph: Any = None
        self._inputs: tuple[Tensor, Targets] | None = None
        self.losses = torch.zeros(3, device=self._device)
        self.scores = torch.zeros(recipe.batch_size, device=self._device)

    @property
    def steps(self) -> int:
        """How many batches were learnt."""
        return self.count

    def learn(self, images: Tensor, targets: Targets, learning_rate: float) -> None:
        """Train on one batch, uint8 `(N, S, S)`, and update the average."""
        self._rate.fill_(learning_rate)
        # The average forgets the initial weights at first.
        self._average_rate.fill_(max(1 - self._momentum, 1 / (self.count + 10)))
        self.count += 1
        if self._device.type != "cuda":
            self._step(images, targets)
            return
        if self._inputs is None:
            self._capture(images, targets)
        assert self._inputs is not None
        held_images, held_targets = self._inputs
        for held, new in zip((held_images, *held_targets), (images, *targets), strict=True):
            held.copy_(new)
        self._graph.replay()

    def _step(self, images: Tensor, targets: Targets) -> None:
        self._optimizer.zero_grad(set_to_none=True)
        with torch.autocast(
            self._device.type, torch.bfloat16, enabled=supports_bfloat16(), cache_enabled=False
        ):
            outputs = self._twin(images[..., None])
        loss, parts = detection_loss(self._cells, outputs, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._parameters, _MAX_GRADIENT_NORM)
        self._optimizer.step()
        with torch.no_grad():
            self.losses.add_(parts)
            is_background = (targets.face == 0) & (targets.counted > 0)
            # Not `torch.where`, which copies a number from the host: no graph may contain that.
            logits = outputs[..., 0].masked_fill(~is_background, _NOT_COUNTED)
            self.scores[: len(images)].copy_(logits.amax(1).sigmoid())
            for average, weight in zip(self._average, self._weights, strict=True):
                average.lerp_(weight, self._average_rate)

    def _capture(self, images: Tensor, targets: Targets) -> None:
        """Record one step as a CUDA graph; the warm-up before it trains on the same batch."""
        self._inputs = images.clone(), Targets(*(part.clone() for part in targets))
        inputs = self._inputs
        self._graph = capture(lambda: self._step(*inputs))
