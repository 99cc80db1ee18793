import keras
import numpy as np
import pytest

from train.errors import RunError
from train.keypoints.keras_learner import WeightAverage


@pytest.fixture
def network():
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    network.set_weights([np.array([[1.0]]), np.array([0.0])])
    return network


def test_the_decay_rises_to_its_final_value(network):
    average = WeightAverage(network, 0.15)
    network.set_weights([np.array([[3.0]]), np.array([0.0])])
    average.update()  # decay 1/10
    assert average.weights()[0].item() == pytest.approx(3 - 0.1 * 2)
    average.update()  # 2/11 is limited to 0.15
    assert average.weights()[0].item() == pytest.approx(3 - 0.15 * 0.1 * 2)


def test_a_saved_average_is_continued(network, tmp_path):
    average = WeightAverage(network, 0.5)
    network.set_weights([np.array([[3.0]]), np.array([0.0])])
    for _ in range(12):
        average.update()
    average.save(tmp_path / "average.npz")
    restored = WeightAverage(network, 0.5)
    restored.load(tmp_path / "average.npz")
    for each in (average, restored):
        each.update()
    assert restored.updates == 13
    assert restored.weights()[0].item() == average.weights()[0].item()


def test_an_average_of_another_network_is_an_error(network, tmp_path):
    WeightAverage(network, 0.5).save(tmp_path / "average.npz")
    larger = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)])
    with pytest.raises(RunError, match="another network"):
        WeightAverage(larger, 0.5).load(tmp_path / "average.npz")
    with pytest.raises(RunError, match="cannot be read"):
        WeightAverage(network, 0.5).load(tmp_path / "none.npz")
