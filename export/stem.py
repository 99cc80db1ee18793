"""The first convolution in 8 bits: eight pixels of a row become eight channels of one position.

A convolution with one input channel takes five times as long in 8 bits as in float32, and
converting its float32 output to 8 bits for the next layer takes as long again. But the bytes of a
row are also the bytes of an eighth as many positions with eight channels, and the results that F
filters give there at every S-th pixel are F·8/S channels. Regrouped like this, the convolution has
enough channels to be fast in 8 bits, and reads the pixels, which are uint8, without conversion.

Legend: N images, H and W sides in px, F filters, K side of the kernel, S stride, px.
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

_PIXELS = 8  # of a row, that become the channels of one position
_STRIDES = (2, 4)  # px, of convolutions that are replaced
_PIXEL_TENSOR = "stem/pixels"  # the pixels as channels, uint8
_SCALED_TENSOR = "stem/scaled"  # the same, scaled to float32


class PixelInput(NamedTuple):
    """The regrouped pixels in float32, and the quantisation under which they are the uint8 pixels.

    Attributes:
        tensor: name of the float32 tensor.
        scale: of its quantisation.
        zero_point: of its quantisation.
    """

    tensor: str
    scale: np.float32
    zero_point: np.uint8


@dataclass(frozen=True, slots=True)
class _Stem:
    """The first convolution, of one channel, and the scaling before it: `scale · pixel + offset`.

    Attributes:
        nodes: of the graph, from its input to the ReLU after the convolution.
        image: name of the graph's input.
        weights: `(F, 1, K, K)`.
        bias: `(F,)`.
        stride: px.
        scale: of the pixels.
        offset: of the pixels.
    """

    nodes: list[onnx.NodeProto]
    image: str
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    stride: int
    scale: float
    offset: float

    @property
    def zero_point(self) -> int:
        """The pixel value that is scaled to 0, rounded."""
        return math.ceil(-self.offset / self.scale - 0.5)


def group_pixels(model: onnx.ModelProto) -> PixelInput | None:
    """Replace the first convolution by an equivalent one with eight input channels, in place.

    The results differ only at the lower and right edge, where the padding is up to half a grey
    value off. The model is left unchanged unless its first convolution is 3×3 with one channel,
    stride 2, a bias and a ReLU after it, and its pixels are scaled with an offset.

    Args:
        model: with one input, uint8 `[N, H, W, 1]`, H even and W a multiple of 8.

    Returns:
        The input for the quantiser, and later `feed_pixels`; None if the model is unchanged.
    """
    stem = _find_stem(model.graph)
    if stem is None:
        return None
    _replace(stem, model.graph)
    return PixelInput(_SCALED_TENSOR, np.float32(stem.scale), np.uint8(stem.zero_point))


def feed_pixels(model: onnx.ModelProto) -> None:
    """Feed the uint8 pixels of a grouped and quantised model to its first convolution, in place.

    Their scaling to float32 and quantisation back to the same bytes are removed.
    """
    (quantised,) = [node.output[0] for node in model.graph.node if _SCALED_TENSOR in node.input]
    for node in model.graph.node:
        if quantised in node.input:
            node.input[0] = _PIXEL_TENSOR
    drop_unused(model.graph)


def _replace(stem: _Stem, graph: onnx.GraphProto) -> None:
    others = [node for node in graph.node if node not in stem.nodes]
    del graph.node[:]
    graph.node.extend([*_grouped_nodes(stem), *others])
    constants = _grouped_constants(stem)
    graph.initializer.extend(numpy_helper.from_array(v, name) for name, v in constants.items())
    drop_unused(graph)


def _grouped_constants(stem: _Stem) -> dict[str, NDArray[Any]]:
    scale = np.full((1, 1, 1, 1), stem.scale, np.float32)
    # In 8 bits 0 is a whole pixel value, such as 127 instead of 127.5; the bias compensates.
    shift = stem.offset + stem.scale * stem.zero_point
    bias = stem.bias + shift * stem.weights.sum(axis=(1, 2, 3))
    return {
        "stem/as_channels": np.array([0, 0, -1, _PIXELS], np.int64),
        "stem/as_places": np.array([0, 0, -1, len(stem.weights)], np.int64),
        "stem/scale": scale,
        "stem/offset": -stem.zero_point * scale,
        "stem/weights": _group_weights(stem.weights, stem.stride),
        "stem/bias": np.tile(bias, _PIXELS // stem.stride).astype(np.float32),
    }


def _grouped_nodes(stem: _Stem) -> list[onnx.NodeProto]:
    """The nodes that replace those of the stem; the last has the same output."""
    node = helper.make_node
    output = stem.nodes[-1].output[0]
    size = stem.weights.shape[-1]
    groups = _count_groups(size, stem.stride)
    return [
        node("Reshape", [stem.image, "stem/as_channels"], ["stem/rows"]),
        node("Transpose", ["stem/rows"], [_PIXEL_TENSOR], perm=[0, 3, 1, 2]),
        node("Cast", [_PIXEL_TENSOR], ["stem/cast"], to=onnx.TensorProto.FLOAT),
        node("Mul", ["stem/cast", "stem/scale"], ["stem/mul"]),
        node("Add", ["stem/mul", "stem/offset"], [_SCALED_TENSOR]),
        node("Conv", [_SCALED_TENSOR, "stem/weights", "stem/bias"], ["stem/conv"],
            kernel_shape=[size, groups], strides=[stem.stride, 1],
            pads=[0, 0, size - stem.stride, groups - 1]),
        node("Relu", ["stem/conv"], ["stem/relu"]),
        node("Transpose", ["stem/relu"], ["stem/last"], perm=[0, 2, 3, 1]),
        node("Reshape", ["stem/last", "stem/as_places"], ["stem/places"]),
        node("Transpose", ["stem/places"], [output], perm=[0, 3, 1, 2]),
    ]  # fmt: skip


def _count_groups(size: int, stride: int) -> int:
    """How many positions, of eight pixels each, the results of one position are computed from."""
    last = _PIXELS - stride + size  # px, end of the last result's kernel
    return -(-last // _PIXELS)


def _group_weights(weights: NDArray[np.float32], stride: int) -> NDArray[np.float32]:
    """Weights `(F, 1, K, K)` for eight pixels at a time: `(F·8/S, 8, K, positions)`."""
    filters, size = len(weights), weights.shape[-1]
    results = _PIXELS // stride
    groups = _count_groups(size, stride)
    grouped = np.zeros((results, filters, groups * _PIXELS, size), np.float32)
    for result in range(results):
        pixels = slice(result * stride, result * stride + size)
        grouped[result, :, pixels] = weights[:, 0].transpose(0, 2, 1)
    grouped = grouped.reshape(results * filters, groups, _PIXELS, size)
    return np.ascontiguousarray(grouped.transpose(0, 2, 3, 1))


def _find_stem(graph: onnx.GraphProto) -> _Stem | None:
    """The first convolution, if it is one that `group_pixels` supports."""
    constants = {weight.name: numpy_helper.to_array(weight) for weight in graph.initializer}
    convolution = next((node for node in graph.node if node.op_type == "Conv"), None)
    if convolution is None or any(name not in constants for name in convolution.input[1:]):
        return None
    before, image = _nodes_before(graph, convolution)
    after = [node for node in graph.node if convolution.output[0] in node.input]
    scaling = [node for node in reversed(before) if node.op_type not in ("Transpose", "Reshape")]
    if [node.op_type for node in [*scaling, *after]] != ["Cast", "Mul", "Add", "Relu"]:
        return None
    weights, *bias = (constants[name] for name in convolution.input[1:])
    if len(bias) != 1 or not _is_supported(convolution, weights) or _is_shared(graph, before):
        return None
    factors = [constants.get(node.input[1], np.empty(0)) for node in scaling[1:]]
    if any(factor.size != 1 for factor in factors):
        return None
    scale, offset = (float(factor.item()) for factor in factors)
    nodes = [*before, convolution, *after]
    stride = _ints(convolution, "strides")[0]
    stem = _Stem(nodes, image, weights, bias[0], stride, scale, offset)
    return stem if scale > 0 and 1 <= stem.zero_point <= 255 else None


def _nodes_before(
    graph: onnx.GraphProto, convolution: onnx.NodeProto
) -> tuple[list[onnx.NodeProto], str]:
    """The nodes between the graph's input and a convolution, last first, and the input's name."""
    producers = {name: node for node in graph.node for name in node.output}
    nodes, name = [], convolution.input[0]
    while name in producers:
        nodes.append(producers[name])
        name = producers[name].input[0]
    return nodes, name


def _is_supported(convolution: onnx.NodeProto, weights: NDArray[np.float32]) -> bool:
    height, width = _ints(convolution, "strides")
    _, channels, rows, size = weights.shape
    padding = size - height
    return (
        channels == 1
        and rows == size
        and height == width
        and height in _STRIDES
        and padding >= 0
        and _ints(convolution, "pads") == [0, 0, padding, padding]
    )


def _is_shared(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> bool:
    """Whether the output of one of the nodes has other users than the next of them."""
    return any(sum(node.output[0] in user.input for user in graph.node) != 1 for node in nodes)


def _ints(node: onnx.NodeProto, name: str) -> list[int]:
    return next((list(a.ints) for a in node.attribute if a.name == name), [])
