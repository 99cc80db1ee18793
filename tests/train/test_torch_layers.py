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
def pictures(rng):
    return rng.normal(size=(3, 8, 12, 1)).astype(np.float32)


def answers(network, pictures, training):
    return keras.ops.convert_to_numpy(network(pictures, training=training))


def test_elsewhere_than_on_torch_a_network_is_its_own_twin(network):
    if keras.backend.backend() == "torch":
        pytest.skip("needs another backend than torch")
    assert with_torch_layers(network) is network


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="needs KERAS_BACKEND=torch")
@pytest.mark.parametrize("training", [False, True])
def test_a_twin_on_torch_answers_the_same_and_gives_its_weights_back(
    network, pictures, training, monkeypatch
):
    import train.torch_layers

    monkeypatch.setattr(train.torch_layers, "_multiplies_bfloat16", lambda: False)
    twin = with_torch_layers(network)
    assert [type(layer).__name__ for layer in twin.layers if layer.weights] == [
        "DirectConv2D", "FusedNormalization", "DirectConv2D", "DirectConv2D"
    ]  # fmt: skip
    expected, found = (answers(model, pictures, training) for model in (network, twin))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    network.set_weights(twin.get_weights())
    # The moving variance is of N − 1 numbers in the twin's.
    for mine, its in zip(network.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(mine, its)
