"""Outputs that are computed only where they are asked for.

onnxruntime computes all outputs of a graph, whichever of them a run names. The 68 points take an
eighth of the keypoint network's time in int8, and most runs do not ask for them.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edge.networks.contract import optional_input


def make_optional(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """A copy that computes an output only where an input is true.

    What only this output needs is moved into a branch of `If`; else the output is empty.

    Args:
        model: a model whose outputs have the batch as their first axis.
        name: of one of its outputs, float32.

    Returns:
        A model with the further input `edge.networks.contract.optional_input`, a bool without
        axes, which is true where it is not given. The model itself if it has no such output.
    """
    output = next((value for value in model.graph.output if value.name == name), None)
    if output is None:
        return model
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    graph = changed.graph
    others = _ancestors(graph, [value.name for value in graph.output if value.name != name])
    own = [node for index, node in enumerate(graph.node) if index not in others]
    rest = [node for index, node in enumerate(graph.node) if index in others]
    used = {value for node in rest for value in node.input}
    weights = [tensor for tensor in graph.initializer if tensor.name not in used]
    computed = _with_name(output, f"{name}_computed")
    _rename(own, name, computed.name)
    branch = helper.make_graph(own, f"with_{name}", [], [computed], weights)
    condition = optional_input(name)
    node = helper.make_node(
        "If", [condition], [name], name, then_branch=branch, else_branch=_no_rows(output)
    )
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    inside = {value for node in own for value in node.output}
    infos = [value for value in graph.value_info if value.name not in inside]
    for field, values in ((graph.node, [*rest, node]), (graph.value_info, infos)):
        del field[:]
        field.extend(values)
    del graph.initializer[:]
    graph.initializer.extend([*kept, numpy_helper.from_array(np.array(True), condition)])
    graph.input.append(helper.make_tensor_value_info(condition, TensorProto.BOOL, []))
    return changed


def _ancestors(graph: onnx.GraphProto, names: list[str]) -> set[int]:
    """Indices of the nodes that values are computed from."""
    producers = {name: index for index, node in enumerate(graph.node) for name in node.output}
    found: set[int] = set()
    pending = list(names)
    while pending:
        index = producers.get(pending.pop())
        if index is not None and index not in found:
            found.add(index)
            pending += graph.node[index].input
    return found


def _rename(nodes: list[onnx.NodeProto], old: str, new: str) -> None:
    for node in nodes:
        for values in (node.input, node.output):
            values[:] = [new if value == old else value for value in values]


def _no_rows(output: onnx.ValueInfoProto) -> onnx.GraphProto:
    """A branch whose output has the shape of `output` for an empty batch."""
    sides = [axis.dim_value for axis in output.type.tensor_type.shape.dim[1:]]
    empty = numpy_helper.from_array(np.zeros((0, *sides), np.float32))
    value = helper.make_tensor_value_info("no_rows", TensorProto.FLOAT, [0, *sides])
    return helper.make_graph(
        [helper.make_node("Constant", [], ["no_rows"], value=empty)], "without", [], [value]
    )


def _with_name(value: onnx.ValueInfoProto, name: str) -> onnx.ValueInfoProto:
    renamed = onnx.ValueInfoProto()
    renamed.CopyFrom(value)
    renamed.name = name
    return renamed
