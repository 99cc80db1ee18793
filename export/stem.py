"""The first convolution in 8 bits: eight pixels of a row as eight channels of one place.

A convolution of one channel takes five times as long in 8 bits as in float32, and the way from its
float32 to the 8 bits of the next one as long again. But a row's pixels are the same bytes as an
eighth of the places with eight channels, and the four results of each place, of F filters, the same
as 4·F channels. As such the convolution has enough to do at once, and its pixels, whole numbers of
8 bits, are taken as they are.

Legend: N pictures, H and W sides in px, F filters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from export.simplify import drop_unused

_PIXELS = 8  # of a row, that become the channels of one place
_STEP = 2  # px, from one result of the convolution to the next
_PLACED, _SCALED = "stem/pixels", "stem/scaled"  # the pixels as channels; and as float32


class Grouped(NamedTuple):
    """The tensor of the pixels as float32, and how it is to be quantised: as the pixels."""

    tensor: str
    scale: np.float32
    zero: np.uint8


@dataclass(frozen=True, slots=True)
class _First:
    """The first convolution, of one channel, and what comes before: `scale · pixel + offset`."""

    nodes: list[onnx.NodeProto]  # of the graph, up to the ReLU after the convolution
    image: str
    weights: NDArray[np.float32]  # (F, 1, 3, 3)
    bias: NDArray[np.float32]  # (F,)
    scale: float
    offset: float

    @property
    def zero(self) -> int:
        """The pixel that is 0 to the convolution, or nearly so."""
        return math.ceil(-self.offset / self.scale - 0.5)


def group_pixels(model: onnx.ModelProto) -> Grouped | None:
    """Make the first convolution one of eight channels; in place.

    It computes the same but at the lower and right edge, where what pads the picture is up to half
    a grey value off. A convolution of another kind than 3×3 of one channel, in steps of 2 and with
    a ReLU after it, is left as it is, and so is one of pixels without an offset.

    Args:
        model: with one input, uint8 `[N, H, W, 1]`, H even and W a multiple of 8.

    Returns:
        What `take_pixels` leaves out later; None where the model was left as it is.
    """
    graph = model.graph
    first = _find(graph)
    if first is None:
        return None
    scale = np.full((1, 1, 1, 1), first.scale, np.float32)
    # In 8 bits 0 is a whole pixel, such as 127 where it should be 127.5. The biases make up for it.
    shift = first.offset + first.scale * first.zero
    bias = first.bias + shift * first.weights.sum(axis=(1, 2, 3))
    constants: dict[str, NDArray[Any]] = {
        "stem/as_channels": np.array([0, 0, -1, _PIXELS], np.int64),
        "stem/as_places": np.array([0, 0, -1, len(first.weights)], np.int64),
        "stem/scale": scale,
        "stem/offset": -first.zero * scale,
        "stem/weights": _spread(first.weights),
        "stem/bias": np.tile(bias, _PIXELS // _STEP).astype(np.float32),
    }
    add, last = helper.make_node, first.nodes[-1].output[0]
    nodes = [
        add("Reshape", [first.image, "stem/as_channels"], ["stem/rows"]),
        add("Transpose", ["stem/rows"], [_PLACED], perm=[0, 3, 1, 2]),
        add("Cast", [_PLACED], ["stem/cast"], to=onnx.TensorProto.FLOAT),
        add("Mul", ["stem/cast", "stem/scale"], ["stem/mul"]),
        add("Add", ["stem/mul", "stem/offset"], [_SCALED]),
        add("Conv", [_SCALED, "stem/weights", "stem/bias"], ["stem/conv"],
            kernel_shape=[3, 2], strides=[_STEP, 1], pads=[0, 0, 1, 1]),
        add("Relu", ["stem/conv"], ["stem/relu"]),
        add("Transpose", ["stem/relu"], ["stem/last"], perm=[0, 2, 3, 1]),
        add("Reshape", ["stem/last", "stem/as_places"], ["stem/places"]),
        add("Transpose", ["stem/places"], [last], perm=[0, 3, 1, 2]),
    ]  # fmt: skip
    rest = [node for node in graph.node if node not in first.nodes]
    del graph.node[:]
    graph.node.extend([*nodes, *rest])
    graph.initializer.extend(numpy_helper.from_array(v, name) for name, v in constants.items())
    drop_unused(graph)
    return Grouped(_SCALED, np.float32(first.scale), np.uint8(first.zero))


def take_pixels(model: onnx.ModelProto) -> None:
    """Where pixels were grouped and then quantised, take them as the 8 bits that they are."""
    (quantised,) = [node.output[0] for node in model.graph.node if _SCALED in node.input]
    for node in model.graph.node:
        if quantised in node.input:
            node.input[0] = _PLACED
    drop_unused(model.graph)


def _find(graph: onnx.GraphProto) -> _First | None:
    values = {weight.name: numpy_helper.to_array(weight) for weight in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    convolution = next((node for node in graph.node if node.op_type == "Conv"), None)
    if convolution is None or any(name not in values for name in convolution.input[1:]):
        return None
    before, name = [], convolution.input[0]
    while name in makers:
        before.append(makers[name])
        name = makers[name].input[0]
    after = [node for node in graph.node if convolution.output[0] in node.input]
    steps = [node for node in reversed(before) if node.op_type not in ("Transpose", "Reshape")]
    weights, *bias = (values[name] for name in convolution.input[1:])
    uses = [sum(node.output[0] in other.input for other in graph.node) for node in before]
    if (
        [node.op_type for node in [*steps, *after]] != ["Cast", "Mul", "Add", "Relu"]
        or any(count != 1 for count in uses)
        or len(bias) != 1
        or weights.shape[1:] != (1, 3, 3)
        or _ints(convolution, "strides") != [_STEP, _STEP]
        or _ints(convolution, "pads") != [0, 0, 1, 1]
    ):
        return None
    constants = [values.get(node.input[1], np.empty(0)) for node in steps[1:]]
    if any(constant.size != 1 for constant in constants):
        return None
    scale, offset = (float(constant.item()) for constant in constants)
    first = _First([*before, convolution, *after], name, weights, bias[0], scale, offset)
    return first if scale > 0 and 1 <= first.zero <= 255 else None


def _ints(node: onnx.NodeProto, name: str) -> list[int]:
    return next((list(a.ints) for a in node.attribute if a.name == name), [])


def _spread(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weights `(F, 1, 3, 3)` for eight pixels at a time: `(4·F, 8, 3, 2)`.

    The third pixel of the last result is the first of the next place.
    """
    filters, results = len(weights), _PIXELS // _STEP
    wide = np.zeros((results, filters, 2 * _PIXELS, 3), np.float32)
    for result in range(results):
        seen = slice(result * _STEP, result * _STEP + 3)
        wide[result, :, seen] = weights[:, 0].transpose(0, 2, 1)
    wide = wide.reshape(results * filters, 2, _PIXELS, 3)
    return np.ascontiguousarray(wide.transpose(0, 2, 3, 1))
