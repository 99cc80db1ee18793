import numpy as np
import pytest

keras = pytest.importorskip("keras")

from train.network import compile_reference, reference  # noqa: E402


def test_the_reference_has_four_weight_layers_and_thirty_values():
    network = reference()
    weighted = [layer for layer in network.layers if layer.weights]
    assert isinstance(network, keras.Sequential)
    assert [type(layer).__name__ for layer in weighted] == ["Conv2D"] * 3 + ["Dense"]
    assert network.output_shape == (None, 30)
    assert network.input_shape == (None, 96, 96, 1)


def test_the_reference_is_trained_by_rmsprop_on_squared_error_with_accuracy():
    network = compile_reference(reference(), 1e-3, steps=10)
    assert type(network.optimizer).__name__ == "RMSprop"
    assert network.loss.__name__ == "masked_mse"
    face, target = np.zeros((2, 96, 96, 1), np.uint8), np.full((2, 30), 50, np.float32)
    values = network.evaluate(face, target, verbose=0, return_dict=True)
    assert set(values) == {"loss", "rmse", "accuracy"}
    # Before any step every coordinate is the centre of the picture.
    assert values["rmse"] == pytest.approx(2.5)
    assert values["loss"] == pytest.approx(6.25)


def test_the_same_seed_gives_the_same_weights():
    one, same, other = (reference(seed=seed).get_weights() for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(one, same, strict=True))
    assert not (one[0] == other[0]).all()
