import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("torch", reason="PyTorch is not installed")

import keras
import torch
from keras import layers

from train.errors import RunError
from train.keypoints.residual_network import Shape, residual
from train.torch_twin.twin import TorchTwin


@pytest.fixture
def pyramid(rng):
    """A network with each kind of layer that detectors have, with random weights."""
    image = keras.Input((12, 16, 1), dtype="uint8")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(image)
    x = layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False)(x)
    fine = layers.ReLU()(layers.BatchNormalization()(x))
    coarse = layers.Conv2D(4, 3, strides=2, padding="same")(fine)
    x = layers.Add()([fine, layers.UpSampling2D(2)(coarse)])
    outputs = [layers.Reshape((-1, 4))(each) for each in (x, coarse)]
    return randomise(keras.Model(image, layers.Concatenate(axis=1)(outputs)), rng)


def randomise(network, rng):
    network.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in network.get_weights()])
    return network


def predict(network, images):
    return keras.ops.convert_to_numpy(network(images, training=False))


def test_a_twin_predicts_what_the_network_predicts(pyramid, rng):
    images = rng.integers(0, 256, (3, 12, 16, 1)).astype(np.uint8)
    twin = TorchTwin(pyramid).eval()
    predicted = twin(torch.tensor(images)).detach().numpy()
    np.testing.assert_allclose(predicted, predict(pyramid, images), rtol=1e-4)


def test_a_keypoint_network_gets_the_weights_of_its_trained_twin(rng):
    shape = Shape(4, ((4, 1), (4, 0), (4, 0)), 4)
    network = randomise(residual(shape, seed=1), rng)
    images = rng.integers(0, 256, (2, 96, 96, 1)).astype(np.uint8)
    twin = TorchTwin(network)
    twin.train()
    twin(torch.tensor(images)).sum().backward()
    with torch.no_grad():
        for weight in twin.parameters():
            weight -= 1e-3 * weight.grad
    twin.write_back(network)
    expected = twin.eval()(torch.tensor(images)).detach().numpy()
    np.testing.assert_allclose(predict(network, images), expected, rtol=1e-3, atol=1e-3)


def test_a_layer_without_counterpart_is_named():
    image = keras.Input((8, 8, 1))
    network = keras.Model(image, layers.MaxPooling2D(name="pool")(image))
    with pytest.raises(RunError, match="layer pool: MaxPooling2D has no counterpart"):
        TorchTwin(network)
