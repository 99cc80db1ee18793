import numpy as np
import pytest

from benchmarks.latency.model_size import (
    count_multiply_adds,
    count_multiply_adds_per_layer,
    count_parameters,
)

pytest.importorskip("onnx")


def test_parameters_and_multiply_adds_are_those_of_the_layers(tmp_path):
    import onnx

    weight = onnx.numpy_helper.from_array(np.zeros((4, 1, 3, 3), np.float32), "w")
    dense = onnx.numpy_helper.from_array(np.zeros((4 * 48 * 48, 5), np.float32), "d")
    nodes = [
        onnx.helper.make_node("Conv", ["x", "w"], ["c"], strides=[2, 2], pads=[1, 1, 1, 1]),
        onnx.helper.make_node("Flatten", ["c"], ["f"]),
        onnx.helper.make_node("MatMul", ["f", "d"], ["y"]),
    ]
    make = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes, "g", [make("x", 1, ["N", 1, 96, 96])], [make("y", 1, ["N", 5])], [weight, dense]
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    onnx.save(model, tmp_path / "two.onnx")
    path = tmp_path / "two.onnx"
    assert count_parameters(path) == 36 + 46080
    assert count_multiply_adds(path) == 36 * 48 * 48 + 46080
    layers = count_multiply_adds_per_layer(path)
    assert (layers["c"], layers["y"]) == (36 * 48 * 48, 46080)


def test_weights_that_are_used_only_where_they_are_asked_for_count():
    from edge.networks.keypoint_model import EMBEDDED

    layers = count_multiply_adds_per_layer(EMBEDDED)
    points68 = [count for name, count in layers.items() if "points68_answers" in name]
    assert max(points68) == 2304 * 136
    assert (
        count_parameters(EMBEDDED) * 4 < EMBEDDED.stat().st_size < count_parameters(EMBEDDED) * 4.1
    )
