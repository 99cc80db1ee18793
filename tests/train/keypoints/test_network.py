import numpy as np
import pytest

keras = pytest.importorskip("keras")

from train.keypoints.network import build, compact, reference  # noqa: E402
from train.recipes import RECIPES  # noqa: E402


def test_the_reference_has_four_weight_layers_and_thirty_values():
    network = reference()
    weighted = [layer for layer in network.layers if layer.weights]
    assert isinstance(network, keras.Sequential)
    assert [type(layer).__name__ for layer in weighted] == ["Conv2D"] * 3 + ["Dense"]
    assert network.output_shape == (None, 30)
    assert network.input_shape == (None, 96, 96, 1)


def test_the_reference_is_trained_by_rmsprop_on_squared_error_with_accuracy():
    network = build(RECIPES["reference"], steps_per_epoch=10)
    assert type(network.optimizer).__name__ == "RMSprop"
    assert network.loss.__name__ == "masked_mse"
    face, target = np.zeros((2, 96, 96, 1), np.uint8), np.full((2, 30), 50, np.float32)
    values = network.evaluate(face, target, verbose=0, return_dict=True)
    assert set(values) == {"loss", "rmse", "accuracy"}
    # Before any step every coordinate is the centre of the image.
    assert values["rmse"] == pytest.approx(2.5)
    assert values["loss"] == pytest.approx(6.25)


def test_the_same_seed_gives_the_same_weights():
    first, second, other = (reference(seed=seed).get_weights() for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    assert not (first[0] == other[0]).all()


def test_the_compact_network_keeps_its_budget():
    network = compact()
    multiply_adds = sum(
        np.prod(layer.kernel.shape) * np.prod(layer.output.shape[1:-1])
        if isinstance(layer, keras.layers.Conv2D)
        else np.prod(layer.kernel.shape)
        for layer in network.layers
        if hasattr(layer, "kernel")
    )
    assert network.count_params() < 400_000
    assert multiply_adds < 30_000_000
    assert network.output_shape == (None, 30)


def test_before_training_the_compact_network_predicts_the_mean_face():
    from edge.geometry.face_frame import MEAN_FACE

    points = compact()(np.zeros((1, 96, 96, 1), np.uint8))
    np.testing.assert_allclose(np.reshape(points, (15, 2)), MEAN_FACE, atol=1e-4)
