"""What trainings of a twin share: optimizer, average, checkpoints and the capture of a step."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from edge.errors import first_line
from edge.files import write_atomically
from train.errors import RunError
from train.torch_twin.twin import TorchTwin

_WARM_UP_STEPS = 3  # before the capture, so that kernels are chosen and memory is allocated


class TwinTrainer:
    """A twin in training: the optimizer, the moving average of its weights, and checkpoints.

    Attributes:
        count: how often the average was updated.
    """

    CHECKPOINT = "last.pt"

    def __init__(self, network: Any, device: torch.device, **adamw: Any) -> None:
        """Start with the weights of a network; `adamw` are settings of the optimizer."""
        self._device = device
        torch.backends.cudnn.benchmark = True
        self._twin = TorchTwin(network).to(device)
        self._twin.train()
        self._rate = torch.tensor(adamw.pop("lr"), device=device)
        kernels = [each for each in self._twin.parameters() if each.ndim > 1]
        others = [each for each in self._twin.parameters() if each.ndim == 1]
        decay = adamw.pop("weight_decay")  # not of biases and normalisations
        groups = [
            {"params": kernels, "weight_decay": decay},
            {"params": others, "weight_decay": 0.0},
        ]
        is_gpu = device.type == "cuda"
        self._optimizer = torch.optim.AdamW(
            groups, lr=self._rate, capturable=is_gpu, fused=is_gpu, **adamw
        )
        self._weights = [*self._twin.parameters(), *self._twin.buffers()]
        self._average = [weight.detach().clone() for weight in self._weights]
        self.count = 0

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
            "count": self.count,
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
            self.count = int(state["count"])
        except (OSError, RuntimeError, ValueError, KeyError, EOFError, struct.error,
                pickle.UnpicklingError) as error:  # fmt: skip
            raise RunError(f"{path}: cannot be resumed ({first_line(error)})") from error
        for group in self._optimizer.param_groups:  # loading replaces the shared tensor
            group["lr"] = self._rate


def capture(step: Callable[[], object]) -> torch.cuda.CUDAGraph:
    """Record a step as a CUDA graph; the warm-up before it makes the step."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(_WARM_UP_STEPS):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph
