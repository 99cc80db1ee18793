"""A detector's feature pyramid in 8 bits, without conversions between its operators.

8-bit convolutions of onnxruntime work on tensors with the channels last. With upsampling in
channels-first order, and 1×1 convolutions in float32, it transposed and converted every map several
times, which took a tenth of the detector's time. Here values are repeated by broadcasting, with the
channels last, and the answers of a map's cells are one matrix product.

Legend: C channels, H and W sides in px, F values of a cell's answer.
"""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from export.simplify import add_constant

_CHANNELS_LAST = [0, 2, 3, 1]
_CHANNELS_FIRST = [0, 3, 1, 2]


def prepare_pyramid(model: onnx.ModelProto) -> list[str]:
    """Rewrite upsampling and answers, in place; the results stay the same.

    Upsampling is a Resize to twice the sides; answers are 1×1 convolutions that are then flattened.
    Other operators are left as they are.

    Args:
        model: with tensors `[1, C, H, W]`.

    Returns:
        Names of the tensors `[cells, C]` that the rewritten answers are computed from.
    """
    graph = model.graph
    constants = {weight.name: numpy_helper.to_array(weight) for weight in graph.initializer}
    replaced: dict[str, list[onnx.NodeProto]] = {}  # by the output that they have in common
    features = []
    for node in graph.node:
        if node.op_type == "Resize" and _doubles_sides(node, constants):
            replaced[node.output[0]] = _repeat(graph, node)
        if node.op_type == "Flatten":
            answer = next((n for n in graph.node if n.output[0] == node.input[0]), None)
            if answer is not None and _is_pointwise(answer, constants):
                replaced[answer.output[0]] = []
                features.append(f"{node.output[0]}/rows")
                product = _multiply(graph, answer, features[-1], node.output[0], constants)
                replaced[node.output[0]] = product
    nodes = [new for old in graph.node for new in replaced.get(old.output[0], [old])]
    del graph.node[:]
    graph.node.extend(nodes)
    return features


def _doubles_sides(node: onnx.NodeProto, constants: dict[str, NDArray[np.generic]]) -> bool:
    scales = constants.get(node.input[2]) if len(node.input) == 3 else None
    return scales is not None and scales.tolist() == [1, 1, 2, 2]


def _is_pointwise(node: onnx.NodeProto, constants: dict[str, NDArray[np.generic]]) -> bool:
    return node.op_type == "Conv" and constants[node.input[1]].shape[2:] == (1, 1)


def _repeat(graph: onnx.GraphProto, resize: onnx.NodeProto) -> list[onnx.NodeProto]:
    """Each value twice along both sides."""
    small, large = resize.input[0], resize.output[0]
    axes, times, factors = (
        add_constant(graph, f"pyramid/{name}", np.array(values, np.int64))
        for name, values in (
            ("axes", [2, 4]), ("times", [1, 1, 2, 1, 2, 1]), ("factors", [1, 2, 2, 1])
        )
    )  # fmt: skip
    node = helper.make_node
    return [
        node("Transpose", [small], [f"{large}/last"], perm=_CHANNELS_LAST),
        node("Shape", [f"{large}/last"], [f"{large}/small_shape"]),
        node("Mul", [f"{large}/small_shape", factors], [f"{large}/shape"]),
        node("Unsqueeze", [f"{large}/last", axes], [f"{large}/single"]),  # [1, H, 1, W, 1, C]
        node("Expand", [f"{large}/single", times], [f"{large}/double"]),  # [1, H, 2, W, 2, C]
        node("Reshape", [f"{large}/double", f"{large}/shape"], [f"{large}/large"]),
        node("Transpose", [f"{large}/large"], [large], perm=_CHANNELS_FIRST),
    ]


def _multiply(
    graph: onnx.GraphProto,
    convolution: onnx.NodeProto,
    rows: str,
    output: str,
    constants: dict[str, NDArray[np.generic]],
) -> list[onnx.NodeProto]:
    """The output `[F, cells]` of a flattened 1×1 convolution, as a matrix product with `rows`."""
    features, weights, bias = convolution.input
    matrix = add_constant(graph, f"{output}/weights", constants[weights][:, :, 0, 0])
    column = add_constant(graph, f"{output}/bias", constants[bias][:, None])
    node = helper.make_node
    return [
        node("Transpose", [features], [f"{output}/last"], perm=_CHANNELS_LAST),
        node("Flatten", [f"{output}/last"], [rows], axis=3),
        node("Gemm", [matrix, rows, column], [output], transB=1),
    ]
