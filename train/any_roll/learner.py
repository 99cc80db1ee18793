"""Optimizer steps of the detector in PyTorch; on a GPU each is one replayed CUDA graph.

Legend: N canvases of a batch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from edge.errors import first_line
from edge.files import write_atomically
from train.any_roll.loss import Cells, Targets, detection_loss
from train.errors import RunError
from train.recipes import AnyRollRecipe
from train.torch_twin import TorchTwin

_WARM_UP_STEPS = 3  # before the capture, so that kernels are chosen and memory is allocated
_BETAS = (0.9, 0.99)
_MAX_GRADIENT_NORM = 5.0
_NOT_COUNTED = -20.0  # logit that stands for cells that are not background


class Learner:
    """A network in training: its twin, the optimizer and the moving average of the weights.

    Attributes:
        steps: how many batches were learnt.
        losses: `(3,)`, sums of the parts of the loss since they were last read.
        scores: `(N,)`, the highest score of a background cell of each canvas of the last batch.
    """

    CHECKPOINT = "last.pt"

    def __init__(self, network: Any, recipe: AnyRollRecipe, cells: Cells) -> None:
        """Start with the weights of a network (`train.any_roll.network.build`)."""
        self._device = cells.centres.device
        self._cells = cells
        is_gpu = self._device.type == "cuda"
        torch.backends.cudnn.benchmark = True
        self._twin = TorchTwin(network).to(self._device)
        self._twin.train()
        self._parameters = list(self._twin.parameters())
        self._rate = torch.tensor(recipe.learning_rate, device=self._device)
        self._optimizer = torch.optim.AdamW(
            _parameter_groups(self._parameters, recipe.weight_decay),
            lr=self._rate, betas=_BETAS, capturable=is_gpu, fused=is_gpu,
        )  # fmt: skip
        self._weights = [*self._parameters, *self._twin.buffers()]
        self._average = [weight.detach().clone() for weight in self._weights]
        self._average_rate = torch.ones((), device=self._device)
        self._momentum = recipe.momentum
        self._graph: Any = None
        self._inputs: tuple[Tensor, Targets] | None = None
        self.losses = torch.zeros(3, device=self._device)
        self.scores = torch.zeros(recipe.batch_size, device=self._device)
        self.steps = 0

    def learn(self, images: Tensor, targets: Targets, learning_rate: float) -> None:
        """Train on one batch, uint8 `(N, S, S)`, and update the average."""
        self._rate.fill_(learning_rate)
        # The average forgets the initial weights at first.
        self._average_rate.fill_(max(1 - self._momentum, 1 / (self.steps + 10)))
        self.steps += 1
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
            "steps": self.steps,
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
            self.steps = int(state["steps"])
        except (OSError, RuntimeError, ValueError, KeyError, EOFError) as error:
            raise RunError(f"{path}: cannot be resumed ({first_line(error)})") from error
        for group in self._optimizer.param_groups:  # loading replaces the shared tensor
            group["lr"] = self._rate

    def _step(self, images: Tensor, targets: Targets) -> None:
        self._optimizer.zero_grad(set_to_none=True)
        with torch.autocast(
            self._device.type, torch.bfloat16, enabled=_has_bfloat16(), cache_enabled=False
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
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP_STEPS):
                self._step(*self._inputs)
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._step(*self._inputs)


def _parameter_groups(parameters: list[Any], decay: float) -> list[dict[str, Any]]:
    """Weight decay on kernels alone, not on biases and normalisations."""
    kernels = [each for each in parameters if each.ndim > 1]
    others = [each for each in parameters if each.ndim == 1]
    return [{"params": kernels, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def _has_bfloat16() -> bool:
    # Other processors emulate it, which is slower than float32.
    return torch.cuda.is_available() and bool(torch.cuda.is_bf16_supported())
