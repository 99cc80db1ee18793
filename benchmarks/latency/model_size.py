"""What a network costs, read from its `.onnx` file: parameters and multiply-adds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

_WEIGHTED = ("Conv", "Gemm", "MatMul")


def count(path: Path) -> tuple[int, int]:
    """Count a model's parameters, and the multiply-adds for one face.

    Convolutions and dense layers are counted; what lies between them is left out, as is usual.

    Args:
        path: an `.onnx` file with an open batch, in float32 or quantised.

    Raises:
        ImportError: the package `onnx` is not installed.
    """
    graph, weights = _read(path)
    nodes = [node for node in graph.node if node.op_type in _WEIGHTED]
    held = [name for node in nodes for name in node.input if name in weights]
    additions = _count_nodes(graph, weights)
    return (
        sum(int(np.prod(weights[name])) for name in held),
        sum(additions[node.output[0]] for node in nodes),
    )


def count_nodes(path: Path) -> dict[str, int]:
    """Multiply-adds for one face of each convolution and dense layer.

    Where the shape of the input is open, places cannot be counted, and convolutions give 0.

    Returns:
        By the node's name and, the same again, by its output and by that of an activation that
        comes next: whoever fuses the two may call them so.
    """
    return _count_nodes(*_read(path))


def _count_nodes(graph: Any, weights: dict[str, tuple[int, ...]]) -> dict[str, int]:
    shapes = _shapes(graph)
    active = {node.input[0]: node.output[0] for node in graph.node if node.op_type == "Relu"}
    additions: dict[str, int] = {}
    for node in graph.node:
        if node.op_type in _WEIGHTED:
            kernel = int(np.prod(weights.get(node.input[1], (0,))))
            output = node.output[0]
            places = shapes.get(output, (1, 1))[2:] if node.op_type == "Conv" else ()
            names = (node.name, output, active.get(output, output))
            additions.update(dict.fromkeys(names, kernel * int(np.prod(places))))
    return additions


def _read(path: Path) -> tuple[Any, dict[str, tuple[int, ...]]]:
    """The graph for one face, shapes inferred, and the shapes of its weights by name."""
    import onnx

    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    del model.graph.value_info[:]
    graph = onnx.shape_inference.infer_shapes(model).graph
    weights = {w.name: tuple(w.dims) for w in graph.initializer}
    for node in graph.node:  # a quantised weight is read through the node that scales it
        if node.op_type == "DequantizeLinear" and node.input[0] in weights:
            weights[node.output[0]] = weights[node.input[0]]
    return graph, weights


def _shapes(graph: Any) -> dict[str, tuple[int, ...]]:
    return {
        value.name: tuple(d.dim_value for d in value.type.tensor_type.shape.dim)
        for value in (*graph.value_info, *graph.output)
    }
