"""Building an ONNX graph node by node, and converting Keras layers to its nodes.

A general converter inserts transposes between Keras's channels-last and ONNX's channels-first
layout; in a network of a few dozen operators these, and the repeats of nearest-neighbour
upsampling, take a fifth of the time. Here tensors are `[1, C, H, W]` from the start, and batch
normalisation is folded into the convolution before it.

Legend: C channels, H and W sides in px.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from export.errors import ExportError


class Graph:
    """A graph under construction.

    Tensors are named by short numbers: long names are a noticeable part of a small file.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, NDArray[Any]] = {}

    def add(self, operator: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """Add an operator with one output; returns the output's name, `name` or a number."""
        output = name or str(len(self._nodes))
        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def split(self, tensor: str, lengths: Sequence[int], axis: int) -> list[str]:
        """Cut a tensor along an axis; returns the names of the parts."""
        outputs = [f"{len(self._nodes)}_{part}" for part in range(len(lengths))]
        inputs = [tensor, self.constant(lengths, np.int64)]
        self._nodes.append(helper.make_node("Split", inputs, outputs, axis=axis))
        return outputs

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        """Add a constant unless an equal one exists; returns its name."""
        array = np.asarray(values, dtype)
        for name, constant in self._constants.items():
            if constant.dtype == array.dtype and np.array_equal(constant, array):
                return name
        name = f"c{len(self._constants)}"
        self._constants[name] = array
        return name

    def build(
        self, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto], opset: int
    ) -> onnx.ModelProto:
        """The finished model."""
        constants = [
            numpy_helper.from_array(values, name) for name, values in self._constants.items()
        ]
        graph = helper.make_graph(self._nodes, "face", inputs, outputs, constants)
        opsets = [helper.make_opsetid("", opset)]
        return helper.make_model(
            graph, opset_imports=opsets, ir_version=8, producer_name="edge-keypoints"
        )


def add_layers(
    graph: Graph, network: Any, image: str, constants: Mapping[str, Sequence[float]] = {}
) -> str:
    """Add the layers of a Keras model.

    Args:
        graph: the graph to add to.
        network: a functional Keras model, channels last, from uint8 `(1, H, W, 1)`.
        image: name of the graph's input, uint8 `[1, H, W, 1]`.
        constants: values of further channels of a convolution's output, by the layer's name; the
            same everywhere, and all but free, since 16 channels are computed at once.

    Returns:
        The name of the tensor with the model's output, `[F, C]` where Keras has `(1, C, F)`.

    Raises:
        ExportError: a layer is of an unsupported type or has an unsupported setting.
    """
    names: dict[int, str] = {}
    normalisations = {
        id(layer.input): layer for layer in network.layers if _type(layer) == "BatchNormalization"
    }
    for layer in network.layers:
        if _type(layer) == "InputLayer":
            name = graph.add("Transpose", image, perm=[0, 3, 1, 2])
        elif _type(layer) == "BatchNormalization":
            name = names[id(layer.input)]
        elif _type(layer) == "Conv2D":
            weights, bias = _fold(layer, normalisations.get(id(layer.output)))
            further = np.array(constants.get(layer.name, ()))
            weights = np.concatenate([weights, np.zeros((len(further), *weights.shape[1:]))])
            bias = np.concatenate([bias, further])
            name = _convolve(graph, layer, names[id(layer.input)], weights, bias)
        elif _type(layer) in _LAYERS:
            inputs = layer.input if isinstance(layer.input, list) else [layer.input]
            name = _LAYERS[_type(layer)](graph, layer, [names[id(tensor)] for tensor in inputs])
        else:
            raise ExportError(f"layer {layer.name}: {_type(layer)} is not supported")
        names[id(layer.output)] = name
    return names[id(network.outputs[0])]


def _type(layer: Any) -> str:
    return type(layer).__name__


def _convolve(
    graph: Graph,
    layer: Any,
    images: str,
    weights: NDArray[np.float64],
    bias: NDArray[np.float64],
) -> str:
    size, stride = layer.kernel_size[0], layer.strides[0]
    if (size > 1 and layer.padding != "same") or layer.data_format != "channels_last":
        raise ExportError(f"layer {layer.name}: expected padding 'same' and channels last")
    padding = size - stride  # for sides that are multiples of the stride; the odd one at the end
    low = padding // 2
    high = padding - low
    return graph.add(
        "Conv",
        images,
        graph.constant(weights),
        graph.constant(bias),
        kernel_shape=[size, size],
        strides=[stride, stride],
        pads=[low, low, high, high],
    )


def _fold(layer: Any, normalisation: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights (filters, C, h, w) and bias (filters,) with batch normalisation folded in."""
    weights = np.array(layer.kernel, np.float64).transpose(3, 2, 0, 1)
    bias = np.array(layer.bias, np.float64) if layer.use_bias else np.zeros(layer.filters)
    if normalisation is None:
        return weights, bias
    scale = np.array(normalisation.gamma) / np.sqrt(
        np.array(normalisation.moving_variance, np.float64) + normalisation.epsilon
    )
    bias = (bias - np.array(normalisation.moving_mean)) * scale + np.array(normalisation.beta)
    return weights * scale[:, None, None, None], bias


def _rescale(graph: Graph, layer: Any, inputs: list[str]) -> str:
    x = graph.add("Cast", *inputs, to=onnx.TensorProto.FLOAT)
    # onnxruntime is 20 times as fast with a constant of full rank as with a scalar.
    x = graph.add("Mul", x, graph.constant(np.reshape(layer.scale, (1, 1, 1, 1))))
    return graph.add("Add", x, graph.constant(np.reshape(layer.offset, (1, 1, 1, 1))))


def _upsample(graph: Graph, layer: Any, inputs: list[str]) -> str:
    if layer.interpolation != "nearest":
        raise ExportError(f"layer {layer.name}: expected interpolation 'nearest'")
    return graph.add(
        "Resize",
        *inputs,
        "",
        graph.constant([1, 1, *layer.size]),
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def _reshape(graph: Graph, layer: Any, inputs: list[str]) -> str:
    if len(layer.target_shape) != 2 or layer.target_shape[0] != -1:
        raise ExportError(f"layer {layer.name}: expected target shape (-1, F)")
    return graph.add("Flatten", *inputs, axis=2)


_LAYERS: dict[str, Callable[[Graph, Any, list[str]], str]] = {
    "Rescaling": _rescale,
    "ReLU": lambda graph, layer, inputs: graph.add("Relu", *inputs),
    "Add": lambda graph, layer, inputs: graph.add("Add", *inputs),
    "UpSampling2D": _upsample,
    "Reshape": _reshape,
    "Concatenate": lambda graph, layer, inputs: graph.add("Concat", *inputs, axis=1),
}
