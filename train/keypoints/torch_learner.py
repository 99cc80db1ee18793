"""Optimizer steps of a residual network in PyTorch; on a GPU each is one replayed CUDA graph.

Legend: B crops of a batch.
"""

from __future__ import annotations

from typing import Any

import torch

from train.keypoints.joint_loss import ERROR_WEIGHT, SCORE_WEIGHT, SMOOTH_PX2, point_weights
from train.keypoints.residual_network import ERRORS, POINTS
from train.recipes import JointRecipe
from train.torch_layers import supports_bfloat16
from train.torch_twin.trainer import TwinTrainer, capture

_BETAS = (0.9, 0.999)


class TorchLearner(TwinTrainer):
    """A network in training: its twin, the optimizer and the moving average of the weights.

    Attributes:
        loss: of the last batch, a scalar on the device; None before the first.
    """

    def __init__(self, network: Any, recipe: JointRecipe, batches_per_update: int) -> None:
        """Start with the weights of a network.

        Args:
            network: from `residual`.
            recipe: learning rate, weight decay and momentum of the average.
            batches_per_update: how many batches are learnt between updates of the average.
        """
        super().__init__(
            network,
            torch.device("cuda" if torch.cuda.is_available() else "cpu"),
            lr=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            betas=_BETAS,
            eps=1e-7,  # as Keras
        )
        self._decay = recipe.momentum**batches_per_update
        self._loss_function = TorchJointLoss(self._device)
        self._graph: Any = None
        self._inputs: tuple[torch.Tensor, torch.Tensor] | None = None
        self.loss: torch.Tensor | None = None

    @property
    def updates(self) -> int:
        """How often the average was updated."""
        return self.count

    def learn(self, images: torch.Tensor, targets: torch.Tensor, learning_rate: float) -> None:
        """Train on one batch, uint8 `(B, 96, 96, 1)` and float32 `(B, 167)`."""
        self._rate.fill_(learning_rate)
        if self._device.type != "cuda":
            self.loss = self._step(images, targets)
            return
        if self._inputs is None:
            self._capture(images, targets)
        assert self._inputs is not None
        for held, new in zip(self._inputs, (images, targets), strict=True):
            held.copy_(new)
        self._graph.replay()

    def update_average(self) -> None:
        """Move the average towards the current weights; its decay rises from 0.1."""
        self.count += 1
        decay = min(self._decay, self.count / (self.count + 9))
        with torch.no_grad():
            torch._foreach_lerp_(self._average, [w.detach() for w in self._weights], 1 - decay)

    def _step(self, images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        self._optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=supports_bfloat16()):
            predicted = self._twin(images)
        loss = self._loss_function(targets, predicted)
        loss.backward()
        self._optimizer.step()
        return loss.detach()

    def _capture(self, images: torch.Tensor, targets: torch.Tensor) -> None:
        """Record one step as a CUDA graph; the warm-up before it trains on the same batch."""
        self._inputs = images.clone(), targets.clone()
        inputs = self._inputs

        def step() -> None:
            self.loss = self._step(*inputs)

        self._graph = capture(step)


class TorchJointLoss:
    """`train.keypoints.joint_loss.joint_loss` without copies from the host, as graphs need it."""

    def __init__(self, device: torch.device) -> None:
        """Copy the weights of the points to a device."""
        self._point_weights = torch.tensor(point_weights(), device=device)

    def __call__(self, true: torch.Tensor, predicted: torch.Tensor) -> torch.Tensor:
        """The loss of `true` `(B, POINTS + 1)` and `predicted` `(B, POINTS + ERRORS + 1)`."""
        known = ~true[:, :POINTS].isnan()
        points = predicted[:, :POINTS]
        squared = (torch.where(known, true[:, :POINTS], points) - points).square()
        squared = squared.unflatten(1, (-1, 2)).sum(dim=2)
        labelled = known[:, ::2].float()
        distance = labelled * ((squared + SMOOTH_PX2).sqrt() - SMOOTH_PX2**0.5)
        weight = labelled * self._point_weights
        loss = (weight * distance).sum() / weight.sum().clamp(min=1e-6)
        error = predicted[:, POINTS : POINTS + ERRORS]
        difference = (distance[:, :ERRORS].detach() - error).abs() * labelled[:, :ERRORS]
        loss = loss + ERROR_WEIGHT * difference.sum() / labelled[:, :ERRORS].sum().clamp(min=1.0)
        is_face, logit = true[:, POINTS], predicted[:, -1]
        scored = (~is_face.isnan()).float()
        entropy = torch.nn.functional.softplus(logit) - is_face.nan_to_num(0.0) * logit
        return loss + SCORE_WEIGHT * (entropy * scored).sum() / scored.sum().clamp(min=1.0)
