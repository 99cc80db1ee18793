import keras
import numpy as np
import pytest

from edge.geometry.face_frame import MEAN_FACE
from train.keypoints.residual_network import ERRORS, POINTS, SHAPES, residual, to_contract


@pytest.fixture(scope="module")
def network():
    return residual(SHAPES["small"], seed=1)


def test_an_untrained_network_predicts_the_mean_face(network, rng):
    crops = rng.integers(0, 256, (2, 96, 96, 1)).astype(np.uint8)
    values = keras.ops.convert_to_numpy(network(crops, training=False))
    assert values.shape == (2, POINTS + ERRORS + 1)
    np.testing.assert_allclose(values[0, :30].reshape(15, 2), MEAN_FACE, atol=1e-3)
    np.testing.assert_allclose(values[0, 30:POINTS], 47.5, atol=1e-3)
    np.testing.assert_allclose(values[0, POINTS:-1], 1.5, atol=1e-4)


def test_the_exported_outputs_are_those_of_the_network(network, rng):
    crops = rng.integers(0, 256, (2, 96, 96, 1)).astype(np.uint8)
    values = keras.ops.convert_to_numpy(network(crops, training=False))
    scale = np.linspace(1, 2, ERRORS)
    outputs = to_contract(network, scale).predict(crops, verbose=0)
    np.testing.assert_allclose(outputs["keypoints"].reshape(2, -1), values[:, :30], atol=1e-3)
    np.testing.assert_allclose(outputs["points68"].reshape(2, -1), values[:, 30:POINTS], atol=1e-3)
    np.testing.assert_allclose(outputs["error"], values[:, POINTS:-1] * scale, rtol=1e-4)
    np.testing.assert_allclose(outputs["face_score"], 1 / (1 + np.exp(-values[:, -1])), atol=1e-5)
