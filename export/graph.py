"""An ONNX graph put together node by node, and Keras layers as nodes of it.

A converter goes from Keras's channels last to ONNX's channels first by transposing; in a network of
a few dozen operators these, and repeats for enlarging, take a fifth of the time. Here pictures are
`[1, C, H, W]` from the start and batch normalisation is part of the convolution before it.

Legend: C channels, H and W sides in px.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from export.errors import ExportError


class Graph:
    """Nodes and constants so far; names are numbers, for long ones take a part of a small file."""

    def __init__(self) -> None:
        """Nothing in it yet."""
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, NDArray[Any]] = {}

    def add(self, operator: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """Add an operator with one output; returns the output's name, `name` or a number."""
        output = name or str(len(self._nodes))
        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        """Add a constant, or find it; returns its name."""
        array = np.asarray(values, dtype)
        for name, known in self._constants.items():
            if known.dtype == array.dtype and np.array_equal(known, array):
                return name
        name = f"c{len(self._constants)}"
        self._constants[name] = array
        return name

    def build(
        self, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto], opset: int
    ) -> onnx.ModelProto:
        """The whole as a model."""
        constants = [
            numpy_helper.from_array(values, name) for name, values in self._constants.items()
        ]
        graph = helper.make_graph(self._nodes, "face", inputs, outputs, constants)
        opsets = [helper.make_opsetid("", opset)]
        return helper.make_model(
            graph, opset_imports=opsets, ir_version=8, producer_name="edge-keypoints"
        )


def add_layers(graph: Graph, network: Any, image: str) -> str:
    """Add the layers of a Keras model from pictures to answers.

    Args:
        graph: to add to.
        network: a functional Keras model, channels last, from uint8 `(1, H, W, 1)`.
        image: name of the graph's input, uint8 `[1, H, W, 1]`.

    Returns:
        The name of the tensor with the model's answers, `(1, F, C)` where Keras has `(1, C, F)`.

    Raises:
        ExportError: a layer is of a kind, or has a setting, that is not known here.
    """
    names: dict[int, str] = {}
    normalisations = {
        id(layer.input): layer for layer in network.layers if _kind(layer) == "BatchNormalization"
    }
    for layer in network.layers:
        if _kind(layer) == "InputLayer":
            name = graph.add("Transpose", image, perm=[0, 3, 1, 2])
        elif _kind(layer) == "BatchNormalization":
            name = names[id(layer.input)]
        elif _kind(layer) == "Conv2D":
            name = _convolve(graph, layer, names, normalisations.get(id(layer.output)))
        elif _kind(layer) in _LAYERS:
            inputs = layer.input if isinstance(layer.input, list) else [layer.input]
            name = _LAYERS[_kind(layer)](graph, layer, [names[id(tensor)] for tensor in inputs])
        else:
            raise ExportError(f"layer {layer.name}: {_kind(layer)} is not known")
        names[id(layer.output)] = name
    return names[id(network.outputs[0])]


def _kind(layer: Any) -> str:
    return type(layer).__name__


def _convolve(graph: Graph, layer: Any, names: dict[int, str], normalisation: Any) -> str:
    weights = np.array(layer.kernel, np.float64).transpose(3, 2, 0, 1)  # (filters, C, h, w)
    bias = np.array(layer.bias, np.float64) if layer.use_bias else np.zeros(layer.filters)
    if normalisation is not None:
        scale = np.array(normalisation.gamma) / np.sqrt(
            np.array(normalisation.moving_variance, np.float64) + normalisation.epsilon
        )
        weights = weights * scale[:, None, None, None]
        bias = (bias - np.array(normalisation.moving_mean)) * scale + np.array(normalisation.beta)
    size, step = layer.kernel_size[0], layer.strides[0]
    if (size > 1 and layer.padding != "same") or layer.data_format != "channels_last":
        raise ExportError(f"layer {layer.name}: expected padding to the same size, channels last")
    around = size - step  # of sides that are multiples of the step; one more at the end if odd
    low, high = around // 2, around - around // 2
    return graph.add(
        "Conv",
        names[id(layer.input)],
        graph.constant(weights),
        graph.constant(bias),
        kernel_shape=[size, size],
        strides=[step, step],
        pads=[low, low, high, high],
    )


def _rescale(graph: Graph, layer: Any, inputs: list[str]) -> str:
    x = graph.add("Cast", *inputs, to=onnx.TensorProto.FLOAT)
    # onnxruntime is 20 times as fast with a constant of all axes as with a scalar.
    x = graph.add("Mul", x, graph.constant(np.reshape(layer.scale, (1, 1, 1, 1))))
    return graph.add("Add", x, graph.constant(np.reshape(layer.offset, (1, 1, 1, 1))))


def _enlarge(graph: Graph, layer: Any, inputs: list[str]) -> str:
    if layer.interpolation != "nearest":
        raise ExportError(f"layer {layer.name}: expected the nearest pixel")
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
        raise ExportError(f"layer {layer.name}: expected all places in a row")
    return graph.add("Reshape", *inputs, graph.constant([1, layer.target_shape[1], -1], np.int64))


_LAYERS: dict[str, Callable[[Graph, Any, list[str]], str]] = {
    "Rescaling": _rescale,
    "ReLU": lambda graph, layer, inputs: graph.add("Relu", *inputs),
    "Add": lambda graph, layer, inputs: graph.add("Add", *inputs),
    "UpSampling2D": _enlarge,
    "Reshape": _reshape,
    "Concatenate": lambda graph, layer, inputs: graph.add("Concat", *inputs, axis=2),
}
