import numpy as np
import pytest

pytest.importorskip("onnx")

import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from export.simplify import fuse_normalisation, simplify


def small_model(nodes, constants, shape):
    """A model from `face`, uint8 `[N, 4, 4, 1]`, to `flat`, float32 of a shape."""
    face = helper.make_tensor_value_info("face", TensorProto.UINT8, ["N", 4, 4, 1])
    flat = helper.make_tensor_value_info("flat", TensorProto.FLOAT, shape)
    weights = [numpy_helper.from_array(np.asarray(v), n) for n, v in constants.items()]
    graph = helper.make_graph(nodes, "small", [face], [flat], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model


@pytest.fixture
def model():
    """Scales an image by a scalar and flattens it to a shape that the graph computes."""
    constants = {"scale": np.float32(0.5), "zero": np.array([0]), "rest": np.array([-1])}
    nodes = [
        helper.make_node("Cast", ["face"], ["grey"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["grey", "scale"], ["scaled"]),
        helper.make_node("Shape", ["scaled"], ["shape"]),
        helper.make_node("Gather", ["shape", "zero"], ["count"]),
        helper.make_node("Concat", ["count", "rest"], ["flat_shape"], axis=0),
        helper.make_node("Reshape", ["scaled", "flat_shape"], ["flat"]),
    ]
    return small_model(nodes, constants, ["N", 16])


def run(model, faces):
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"face": faces})[0]


def test_fewer_operators_give_the_same_results(model, rng):
    faces = rng.integers(0, 256, size=(3, 4, 4, 1)).astype(np.uint8)
    before = run(model, faces)
    simplify(model, 4)
    onnx.checker.check_model(model, full_check=True)
    np.testing.assert_array_equal(run(model, faces), before)
    assert [node.op_type for node in model.graph.node] == ["Cast", "Mul", "Reshape"]


def test_the_batch_stays_dynamic_and_scalars_get_full_rank(model):
    simplify(model, 4)
    assert run(model, np.zeros((5, 4, 4, 1), np.uint8)).shape == (5, 16)
    shapes = {len(w.dims) for w in model.graph.initializer if w.data_type == TensorProto.FLOAT}
    assert shapes == {4}
    assert {w.name for w in model.graph.initializer}.isdisjoint({"scale", "zero", "rest"})


@pytest.fixture
def normalising():
    """Scales a crop, normalises it as a converter writes that, and convolves it."""
    constants = {
        "scale": np.float32(1 / 255), "flatness": np.float32(1e-4),
        "shape": np.array([-1, 1, 4, 4]), "kernel": np.ones((1, 1, 4, 4), np.float32) / 7,
    }  # fmt: skip
    make = helper.make_node
    nodes = [
        make("Cast", ["face"], ["grey"], to=TensorProto.FLOAT),
        make("Mul", ["grey", "scale"], ["scaled"]),
        make("ReduceMean", ["scaled"], ["mean"], axes=[1, 2, 3]),
        make("Sub", ["scaled", "mean"], ["centred"]),
        make("Mul", ["centred", "centred"], ["squares"]),
        make("ReduceMean", ["squares"], ["variance"], axes=[1, 2, 3]),
        make("Add", ["variance", "flatness"], ["above"]),
        make("Sqrt", ["above"], ["root"]),
        make("Div", ["centred", "root"], ["normalised"]),
        make("Reshape", ["normalised", "shape"], ["crop"]),
        make("Conv", ["crop", "kernel"], ["flat"]),
    ]
    return small_model(nodes, constants, ["N", 1, 1, 1])


def test_normalisation_by_one_operator_gives_the_same_results(normalising, rng):
    faces = rng.integers(0, 256, size=(3, 4, 4, 1)).astype(np.uint8)
    faces[0] = 90  # a crop without contrast
    before = run(normalising, faces)
    fuse_normalisation(normalising, 4)
    onnx.checker.check_model(normalising, full_check=True)
    np.testing.assert_allclose(run(normalising, faces), before, atol=1e-5)
    assert [node.op_type for node in normalising.graph.node] == [
        "Cast", "Reshape", "LayerNormalization", "Reshape", "Conv",
    ]  # fmt: skip


def test_a_network_that_does_not_normalise_stays_as_it_is(model):
    del model.graph.node[3:]
    model.graph.node.append(helper.make_node("Conv", ["scaled", "kernel"], ["flat"]))
    before = [node.op_type for node in model.graph.node]
    fuse_normalisation(model, 4)
    assert [node.op_type for node in model.graph.node] == before
