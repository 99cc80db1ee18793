"""Optimizer steps of a residual network in PyTorch; on a GPU each is one replayed CUDA graph.

Legend: B crops of a batch.
"""

from __future__ import annotations

import pickle
import struct
from pathlib import Path
from typing import Any

import torch

from edge.errors import first_line
from edge.files import write_atomically
from train.errors import RunError
from train.keypoints.joint_loss import ERROR_WEIGHT, SCORE_WEIGHT, SMOOTH_PX2, point_weights
from train.keypoints.residual_network import ERRORS, POINTS
from train.recipes import JointRecipe
from train.torch_twin import TorchTwin

_WARM_UP_STEPS = 3  # before the capture, so that kernels are chosen and memory is allocated
_BETAS = (0.9, 0.999)


class TorchLearner:
    """A network in training: its twin, the optimizer and the moving average of the weights.

    Attributes:
        updates: how often the average was updated.
        loss: of the last batch, a scalar on the device; None before the first.
    """

    CHECKPOINT = "last.pt"

    def __init__(self, network: Any, recipe: JointRecipe, batches_per_update: int) -> None:
        """Start with the weights of a network.

        Args:
            network: from `residual`.
            recipe: learning rate, weight decay and momentum of the average.
            batches_per_update: how many batches are learnt between updates of the average.
        """
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.backends.cudnn.benchmark = True
        self._twin = TorchTwin(network).to(self._device)
        self._twin.train()
        self._rate = torch.tensor(recipe.learning_rate, device=self._device)
        self._optimizer = torch.optim.AdamW(
            _parameter_groups(self._twin, recipe.weight_decay),
            lr=self._rate,
            betas=_BETAS,
            eps=1e-7,  # as Keras
            capturable=self._device.type == "cuda",
            fused=self._device.type == "cuda",
        )
        self._weights = [*self._twin.parameters(), *self._twin.buffers()]
        self._average = [weight.detach().clone() for weight in self._weights]
        self._decay = recipe.momentum**batches_per_update
        self._loss_function = TorchJointLoss(self._device)
        self._graph: Any = None
        self._inputs: tuple[torch.Tensor, torch.Tensor] | None = None
        self.updates = 0
        self.loss: torch.Tensor | None = None

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
        self.updates += 1
        decay = min(self._decay, self.updates / (self.updates + 9))
        with torch.no_grad():
            torch._foreach_lerp_(self._average, [w.detach() for w in self._weights], 1 - decay)

    def write_average(self, network: Any) -> None:
        """Give a Keras network the averaged weights."""
        current = [weight.detach().clone() for weight in self._weights]
        with torch.no_grad():
            torch._foreach_copy_(self._weights, self._average)
            self._twin.write_back(network)
            torch._foreach_copy_(self._weights, current)

    def save(self, folder: Path) -> None:
        """Write a checkpoint atomically."""
        state = {
            "weights": self._weights,
            "average": self._average,
            "updates": self.updates,
            "optimizer": self._optimizer.state_dict(),
        }
        with write_atomically(folder / self.CHECKPOINT) as part:
            torch.save(state, part)

    def resume(self, folder: Path) -> None:
        """Continue from a checkpoint.

        Raises:
            RunError: it cannot be read, or belongs to another network.
        """
        path = folder / self.CHECKPOINT
        try:
            state = torch.load(path, map_location=self._device, weights_only=True)
            self._optimizer.load_state_dict(state["optimizer"])
            with torch.no_grad():
                for tensors, name in ((self._weights, "weights"), (self._average, "average")):
                    for tensor, value in zip(tensors, state[name], strict=True):
                        tensor.copy_(value)
            self.updates = int(state["updates"])
        except (OSError, RuntimeError, ValueError, KeyError, EOFError, struct.error,
                pickle.UnpicklingError) as error:  # fmt: skip
            raise RunError(f"{path}: cannot be resumed ({first_line(error)})") from error
        for group in self._optimizer.param_groups:  # loading replaces the shared tensor
            group["lr"] = self._rate

    def _step(self, images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        self._optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=_has_bfloat16()):
            predicted = self._twin(images)
        loss = self._loss_function(targets, predicted)
        loss.backward()
        self._optimizer.step()
        return loss.detach()

    def _capture(self, images: torch.Tensor, targets: torch.Tensor) -> None:
        """Record one step as a CUDA graph; the warm-up before it trains on the same batch."""
        self._inputs = images.clone(), targets.clone()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP_STEPS):
                self._step(*self._inputs)
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self.loss = self._step(*self._inputs)


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


def _parameter_groups(twin: TorchTwin, decay: float) -> list[dict[str, Any]]:
    """Weight decay on kernels alone, not on biases and normalisations."""
    kernels = [each for each in twin.parameters() if each.ndim > 1]
    others = [each for each in twin.parameters() if each.ndim == 1]
    return [{"params": kernels, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def _has_bfloat16() -> bool:
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    # On other CPUs PyTorch emulates it, which is slower than float32.
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", bool)
    return bool(supported())
