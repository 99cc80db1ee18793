"""A PyTorch module that computes what a Keras network computes, with the same weights.

Keras's PyTorch backend spends more time on calling operators than a small network needs on a GPU.
The twin runs PyTorch's kernels on channels-last images, in bfloat16 where the device multiplies it,
and can be captured in a CUDA graph. The Keras network remains the definition: the twin is made from
it, and `write_back` returns the trained weights to it.

Legend: N images, H and W their sides, C channels.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from keras import layers
from torch import nn
from torch.nn import functional

from train.errors import RunError

_FLOAT32_SUFFIXES = ("answer", "answers")  # layers of predictions, by the ends of their names


class TorchTwin(nn.Module):
    """A functional Keras network of one input and one output as a PyTorch module."""

    def __init__(self, network: Any) -> None:
        """Copy the layers and weights of a network.

        Args:
            network: a functional Keras model from images `(N, H, W, C)` to one tensor.

        Raises:
            RunError: the network has a layer without a counterpart here.
        """
        super().__init__()
        self._steps: list[tuple[str, list[str], str]] = []
        self.layers = nn.ModuleDict()
        for operation in network.operations:
            if isinstance(operation, layers.InputLayer):
                self._input = operation.output.name
                continue
            if len(operation._inbound_nodes) != 1:
                raise RunError(f"{network.name}: layer {operation.name} is used more than once")
            self.layers[operation.name] = _convert(operation)
            inputs = [tensor.name for tensor in operation._inbound_nodes[0].input_tensors]
            self._steps.append((operation.name, inputs, operation.output.name))
        self._output = network.outputs[0].name
        self.to(memory_format=torch.channels_last)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Compute the output for images `(N, H, W, C)`; float32, in Keras's layout."""
        values = {self._input: images.permute(0, 3, 1, 2)}
        for name, inputs, output in self._steps:
            values[output] = self.layers[name](*(values[each] for each in inputs))
        return values[self._output].float()

    def write_back(self, network: Any) -> None:
        """Copy the twin's weights to the network it was made from."""
        for name, layer in self.layers.items():
            if isinstance(layer, _Weighted):
                network.get_layer(name).set_weights(layer.to_keras())


class _Weighted(nn.Module):
    """A layer with weights."""

    def to_keras(self) -> list[np.ndarray[Any, Any]]:
        """The weights as the Keras layer's `set_weights` takes them."""
        raise NotImplementedError


class _Convolution(_Weighted):
    """A convolution with the padding of TensorFlow."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        kernel, *bias = layer.get_weights()
        self.weight = nn.Parameter(torch.tensor(kernel.transpose(3, 2, 0, 1)))
        self.bias = nn.Parameter(torch.tensor(bias[0])) if bias else None
        self._is_float32 = layer.name.endswith(_FLOAT32_SUFFIXES)
        self._strides = layer.strides
        self._is_same = layer.padding == "same"
        self._activation = _activation(layer)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Convolve `(N, C, H, W)`."""
        images, padding = self._pad(images.float() if self._is_float32 else images)
        with _precision(self._is_float32, images):
            outputs = functional.conv2d(images, self.weight, self.bias, self._strides, padding)
            return self._activation(outputs)

    def _pad(self, images: torch.Tensor) -> tuple[torch.Tensor, tuple[int, ...]]:
        """Images, padded if need be, and the padding left to the convolution."""
        if not self._is_same:
            return images, (0, 0)
        sides = zip(images.shape[2:], self._strides, self.weight.shape[2:], strict=True)
        total = [
            max((-(-length // stride) - 1) * stride + size - length, 0)
            for length, stride, size in sides
        ]
        if not any(pixels % 2 for pixels in total):
            return images, tuple(pixels // 2 for pixels in total)
        # TensorFlow's convention: an odd pixel is added at the end.
        vertical, horizontal = ((pixels // 2, pixels - pixels // 2) for pixels in total)
        return functional.pad(images, (*horizontal, *vertical)), (0, 0)

    def to_keras(self) -> list[np.ndarray[Any, Any]]:
        """Kernel `(h, w, C, filters)` and bias, if there is one."""
        weights = [_to_numpy(self.weight.permute(2, 3, 1, 0))]
        return weights if self.bias is None else [*weights, _to_numpy(self.bias)]


class _Normalisation(_Weighted):
    """Batch normalisation; the moving variance is the unbiased one, as PyTorch computes it."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        gamma, beta, mean, variance = (torch.tensor(each) for each in layer.get_weights())
        self.gamma = nn.Parameter(gamma)
        self.beta = nn.Parameter(beta)
        self.mean: torch.Tensor
        self.variance: torch.Tensor
        self.register_buffer("mean", mean)
        self.register_buffer("variance", variance)
        self._momentum = 1 - layer.momentum
        self._epsilon = layer.epsilon

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Normalise `(N, C, H, W)`, by the batch's own statistics during training."""
        return functional.batch_norm(
            images,
            self.mean,
            self.variance,
            self.gamma,
            self.beta,
            training=self.training,
            momentum=self._momentum,
            eps=self._epsilon,
        )

    def to_keras(self) -> list[np.ndarray[Any, Any]]:
        """Gamma, beta, moving mean and moving variance."""
        return [_to_numpy(each) for each in (self.gamma, self.beta, self.mean, self.variance)]


class _Dense(_Weighted):
    """A dense layer, in float32 for predictions."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        kernel, bias = layer.get_weights()
        self.weight = nn.Parameter(torch.tensor(kernel.T.copy()))
        self.bias = nn.Parameter(torch.tensor(bias))
        self._is_float32 = layer.name.endswith(_FLOAT32_SUFFIXES)
        self._activation = _activation(layer)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map `(N, C)` to `(N, units)`."""
        features = features.float() if self._is_float32 else features
        with _precision(self._is_float32, features):
            return self._activation(functional.linear(features, self.weight, self.bias))

    def to_keras(self) -> list[np.ndarray[Any, Any]]:
        """Kernel `(C, units)` and bias."""
        return [_to_numpy(self.weight.T), _to_numpy(self.bias)]


class _Operation(nn.Module):
    """A layer without weights."""

    def __init__(self, function: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self._function = function

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Apply the function."""
        return self._function(*inputs)


class _Rescaling(nn.Module):
    """Multiplication by a constant and addition of another."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.scale: torch.Tensor
        self.offset: torch.Tensor
        self.register_buffer("scale", torch.tensor(layer.scale, dtype=torch.float32))
        self.register_buffer("offset", torch.tensor(layer.offset, dtype=torch.float32))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Rescale, in float32."""
        return values.float() * self.scale + self.offset


def _convert(layer: Any) -> nn.Module:
    """The counterpart of a Keras layer."""
    for kind, convert in _CONVERTERS.items():
        if isinstance(layer, kind):
            return convert(layer)
    raise RunError(f"layer {layer.name}: {type(layer).__name__} has no counterpart in PyTorch")


def _upsampling(layer: Any) -> nn.Module:
    if layer.interpolation != "nearest":
        raise RunError(f"layer {layer.name}: expected interpolation 'nearest'")
    return nn.Upsample(scale_factor=tuple(float(factor) for factor in layer.size))


def _reshape(layer: Any) -> nn.Module:
    shape = layer.target_shape
    return _Operation(lambda values: _channels_last(values).reshape(len(values), *shape))


def _concatenate(layer: Any) -> nn.Module:
    rank = len(layer.output.shape)
    axis = layer.axis % rank
    dimension = {1: 2, 2: 3, 3: 1}[axis] if rank == 4 else axis
    return _Operation(lambda *values: torch.cat(values, dim=dimension))


def _channels_last(values: torch.Tensor) -> torch.Tensor:
    """Images `(N, C, H, W)` as `(N, H, W, C)`, in which Keras numbers the values."""
    return values.permute(0, 2, 3, 1) if values.ndim == 4 else values


_CONVERTERS: dict[type, Callable[[Any], nn.Module]] = {
    layers.Conv2D: _Convolution,
    layers.BatchNormalization: _Normalisation,
    layers.Dense: _Dense,
    layers.Rescaling: _Rescaling,
    layers.ReLU: lambda layer: nn.ReLU(),
    layers.Add: lambda layer: _Operation(lambda first, *rest: sum(rest, first)),
    layers.UpSampling2D: _upsampling,
    layers.Flatten: lambda layer: _Operation(lambda values: _channels_last(values).flatten(1)),
    layers.Reshape: _reshape,
    layers.Concatenate: _concatenate,
}

_ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "linear": lambda values: values,
    "relu": functional.relu,
    "softplus": functional.softplus,
}


def _activation(layer: Any) -> Callable[[torch.Tensor], torch.Tensor]:
    name = layer.activation.__name__
    if name not in _ACTIVATIONS:
        raise RunError(f"layer {layer.name}: activation {name} has no counterpart in PyTorch")
    return _ACTIVATIONS[name]


def _precision(is_float32: bool, values: torch.Tensor) -> AbstractContextManager[object]:
    """Suspend automatic mixed precision for predictions."""
    return torch.autocast(values.device.type, enabled=False) if is_float32 else nullcontext()


def _to_numpy(tensor: torch.Tensor) -> np.ndarray[Any, Any]:
    return np.asarray(tensor.detach().float().cpu().contiguous())
