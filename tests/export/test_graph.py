import numpy as np
import onnxruntime
import pytest

pytest.importorskip("keras")
pytest.importorskip("onnx")

import keras
import onnx
from keras import layers
from onnx import TensorProto, helper

from export.convert import OPSET
from export.errors import ExportError
from export.graph import Graph, add_layers


def run(network, image):
    graph = Graph()
    outputs = add_layers(graph, network, "image")
    graph.add("Identity", outputs, name="outputs")
    model = graph.build(
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, "H", "W", 1])],
        [helper.make_tensor_value_info("outputs", TensorProto.FLOAT, ["F", "C"])],
        OPSET,
    )
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(["outputs"], {"image": image})[0]


def test_layers_give_the_same_results_as_in_keras():
    rng = np.random.default_rng(0)
    source = keras.Input((None, None, 1), dtype="uint8")
    x = layers.Rescaling(1 / 50, offset=-0.3)(source)
    x = layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False)(x)
    fine = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.BatchNormalization()(layers.Conv2D(6, 3, strides=2, padding="same")(fine))
    coarse = layers.Conv2D(4, 1)(layers.ReLU()(x))
    fine = layers.Add()([fine, layers.UpSampling2D(2)(coarse)])
    rows = [layers.Reshape((-1, 4))(level) for level in (fine, coarse)]
    network = keras.Model(source, layers.Concatenate(axis=1)(rows))
    network.set_weights([rng.uniform(0.2, 1.5, w.shape) for w in network.get_weights()])
    image = rng.integers(0, 256, (1, 12, 20, 1)).astype(np.uint8)
    expected = keras.ops.convert_to_numpy(network(image, training=False))
    result = run(network, image)
    assert result.shape == (4, 6 * 10 + 3 * 5)
    np.testing.assert_allclose(result.T, expected[0], rtol=1e-4, atol=1e-4)


def test_an_unsupported_layer_is_refused_by_name():
    image = keras.Input((None, None, 1), dtype="uint8")
    pooled = keras.Model(image, layers.MaxPooling2D(name="largest")(image))
    with pytest.raises(ExportError, match="largest: MaxPooling2D is not supported"):
        run(pooled, np.zeros((1, 8, 8, 1), np.uint8))
    shrunk = keras.Model(image, layers.Conv2D(2, 3, name="narrow")(image))
    with pytest.raises(ExportError, match="narrow: expected padding 'same'"):
        run(shrunk, np.zeros((1, 8, 8, 1), np.uint8))


def test_equal_constants_are_stored_once():
    graph = Graph()
    first = graph.constant([1, 2], np.int64)
    assert graph.constant([1, 2], np.int64) == first
    assert len({first, graph.constant([1, 2]), graph.constant([[1, 2]], np.int64)}) == 3
