import numpy as np
import pytest

keras = pytest.importorskip("keras")

from train.detector.network import build  # noqa: E402


def test_before_training_every_cell_predicts_the_prior_and_a_typical_box():
    network = build()
    outputs = network.predict_on_batch(np.full((1, 64, 96, 1), 127, np.uint8))
    assert outputs.shape == (1, 8 * 12 + 4 * 6 + 2 * 3, 7)
    scores = 1 / (1 + np.exp(-outputs[..., 0]))
    np.testing.assert_allclose(scores, 0.01, atol=0.005)
    np.testing.assert_allclose(outputs[..., 1:3], 0, atol=0.2)
    np.testing.assert_allclose(outputs[..., 3:5], np.log(2.5), atol=0.2)
    np.testing.assert_allclose(outputs[..., 5], 1, atol=0.2)
    np.testing.assert_allclose(outputs[..., 6], 0, atol=0.2)


def test_the_detector_keeps_its_budget_and_its_layer_names():
    network = build()
    assert network.count_params() < 240_000
    names = {layer.name for layer in network.layers}
    assert {"convolution_8", "stride_8_head", "stride_32_answer", "answers"} <= names


def test_the_same_seed_gives_the_same_weights():
    first, second, other = (build(seed).get_weights() for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    assert not (first[0] == other[0]).all()
