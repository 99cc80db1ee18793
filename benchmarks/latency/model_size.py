"""Parameters and multiply-adds of a network, read from its `.onnx` file.

Convolutions and dense layers are counted, of models in float32 or quantised; other operators are
left out, as is usual.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.extras import require

_WEIGHTED = ("Conv", "Gemm", "MatMul")


@dataclass(frozen=True, slots=True)
class _Graph:
    """A graph with a batch of one.

    Attributes:
        nodes: its operators.
        weights: shapes of its weights, by name.
        shapes: shapes of its activations, by name.
    """

    nodes: list[Any]
    weights: dict[str, tuple[int, ...]]
    shapes: dict[str, tuple[int, ...]]


def count_parameters(path: Path) -> int:
    """Number of weights and biases of the counted layers.

    Raises:
        MissingExtra: the package `onnx` is not installed.
    """
    graph = _read(path)
    used = [
        graph.weights[name]
        for node in graph.nodes
        if node.op_type in _WEIGHTED
        for name in node.input
        if name in graph.weights
    ]
    return sum(int(np.prod(shape)) for shape in used)


def count_multiply_adds(path: Path, shape: tuple[int, ...] = (1,)) -> int:
    """Multiply-adds for one face; convolutions whose output has no fixed size count 0.

    Args:
        path: an `.onnx` file.
        shape: of the input, or its first axes.

    Raises:
        MissingExtra: the package `onnx` is not installed.
    """
    graph = _read(path, shape)
    return sum(_multiply_adds(graph, node) for node in graph.nodes if node.op_type in _WEIGHTED)


def count_multiply_adds_per_layer(path: Path) -> dict[str, int]:
    """Multiply-adds for one face of each counted layer, as `count_multiply_adds` counts them.

    Returns:
        By the node's name and, with the same value, by the name of its output and of that of a
        following activation: onnxruntime names a fused operator by any of the three.

    Raises:
        MissingExtra: the package `onnx` is not installed.
    """
    graph = _read(path)
    activations = {n.input[0]: n.output[0] for n in graph.nodes if n.op_type == "Relu"}
    counts: dict[str, int] = {}
    for node in graph.nodes:
        if node.op_type in _WEIGHTED:
            output = node.output[0]
            names = (node.name, output, activations.get(output, output))
            counts.update(dict.fromkeys(names, _multiply_adds(graph, node)))
    return counts


def _multiply_adds(graph: _Graph, node: Any) -> int:
    weights = int(np.prod(graph.weights.get(node.input[1], (0,))))
    # A convolution applies its weights at every position of its output.
    positions = graph.shapes.get(node.output[0], (1, 1))[2:] if node.op_type == "Conv" else ()
    return weights * int(np.prod(positions))


def _read(path: Path, shape: tuple[int, ...] = (1,)) -> _Graph:
    onnx = require("onnx", "bench", "counting parameters")
    model = onnx.load(path)
    axes = model.graph.input[0].type.tensor_type.shape.dim
    for axis, length in zip(axes, shape, strict=False):
        axis.dim_value = length
    del model.graph.value_info[:]
    graph = onnx.shape_inference.infer_shapes(model).graph
    graphs = [graph, *_branches(graph)]
    nodes = [node for part in graphs for node in part.node]
    weights = {w.name: tuple(w.dims) for part in graphs for w in part.initializer}
    for node in nodes:  # a quantised weight is read through the node that scales it
        if node.op_type == "DequantizeLinear" and node.input[0] in weights:
            weights[node.output[0]] = weights[node.input[0]]
    shapes = {
        value.name: tuple(d.dim_value for d in value.type.tensor_type.shape.dim)
        for part in graphs
        for value in (*part.value_info, *part.output)
    }
    return _Graph(nodes, weights, shapes)


def _branches(graph: Any) -> list[Any]:
    """The graphs that are run only where an output is asked for."""
    return [
        attribute.g
        for node in graph.node
        for attribute in node.attribute
        if attribute.HasField("g")
    ]
