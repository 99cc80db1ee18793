import numpy as np
import pytest

pytest.importorskip("keras")

import keras
from keras import layers

from train.torch_layers import with_torch_layers


@pytest.fixture
def network():
    image = keras.Input((8, 12, 1))
    x = layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False)(image)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.5)(x))
    x = layers.Conv2D(4, 3, padding="same", use_bias=False)(x)
    return keras.Model(image, layers.Conv2D(2, 1, name="the_answer")(x))


@pytest.fixture
def images(rng):
    return rng.normal(size=(3, 8, 12, 1)).astype(np.float32)


def predict(network, images, training):
    return keras.ops.convert_to_numpy(network(images, training=training))


def test_on_other_backends_the_network_itself_is_returned(network):
    if keras.backend.backend() == "torch":
        pytest.skip("needs another backend than torch")
    assert with_torch_layers(network) is network


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="needs KERAS_BACKEND=torch")
@pytest.mark.parametrize("training", [False, True])
def test_a_copy_on_torch_predicts_the_same_and_its_weights_can_be_copied_back(
    network, images, training, monkeypatch
):
    import train.torch_layers

    monkeypatch.setattr(train.torch_layers, "supports_bfloat16", lambda: False)
    copy = with_torch_layers(network)
    assert [type(layer).__name__ for layer in copy.layers if layer.weights] == [
        "DirectConv2D", "FusedNormalization", "DirectConv2D", "DirectConv2D"
    ]  # fmt: skip
    expected, predicted = (predict(model, images, training) for model in (network, copy))
    np.testing.assert_allclose(predicted, expected, atol=1e-5)
    network.set_weights(copy.get_weights())
    # The moving variance of the copy is unbiased.
    for original, copied in zip(network.get_weights(), copy.get_weights(), strict=True):
        np.testing.assert_allclose(original, copied)
