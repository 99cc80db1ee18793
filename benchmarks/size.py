"""What a network costs, read from its `.onnx` file: parameters and multiply-adds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def count(path: Path) -> tuple[int, int]:
    """Count a model's parameters, and the multiply-adds for one face.

    Convolutions and dense layers are counted; what lies between them is left out, as is usual.

    Args:
        path: an fp32 `.onnx` file with an open batch.

    Raises:
        ImportError: the package `onnx` is not installed.
    """
    import onnx

    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    del model.graph.value_info[:]
    shapes = _shapes(onnx.shape_inference.infer_shapes(model).graph)
    weights = {w.name: tuple(w.dims) for w in model.graph.initializer}
    parameters = additions = 0
    for node in model.graph.node:
        if node.op_type not in ("Conv", "Gemm", "MatMul"):
            continue
        held = [weights[name] for name in node.input if name in weights]
        parameters += sum(int(np.prod(shape)) for shape in held)
        kernel = int(np.prod(weights.get(node.input[1], (0,))))
        places = shapes.get(node.output[0], (1, 1))[2:] if node.op_type == "Conv" else ()
        additions += kernel * int(np.prod(places))
    return parameters, additions


def _shapes(graph: Any) -> dict[str, tuple[int, ...]]:
    return {
        value.name: tuple(d.dim_value for d in value.type.tensor_type.shape.dim)
        for value in (*graph.value_info, *graph.output)
    }
