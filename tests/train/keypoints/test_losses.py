import numpy as np
import pytest

keras = pytest.importorskip("keras")

from train.keypoints.losses import RMSE, accuracy, masked_absolute, masked_mse  # noqa: E402


@pytest.fixture
def pair():
    true = np.array([[1, 2, np.nan, 4], [np.nan] * 4, [5, 6, 7, 8]], np.float32)
    predicted = np.array([[2, 2, 900, 1], [1, 1, 1, 1], [5, 6, 7, 10]], np.float32)
    return true, predicted


def number(tensor):
    return float(keras.ops.convert_to_numpy(tensor))


def test_mse_is_over_labelled_values_only(pair):
    assert number(masked_mse(*pair)) == pytest.approx((1 + 0 + 9 + 0 + 0 + 0 + 4) / 7)


def test_absolute_difference_is_over_labelled_values_only(pair):
    assert number(masked_absolute(*pair)) == pytest.approx(
        (1 + 0 + 3 + 0 + 0 + 0 + 2) / 7, abs=1e-5
    )


def test_without_labels_the_loss_is_0(pair):
    assert number(masked_mse(pair[0][1:2], pair[1][1:2])) == 0


def test_rmse_accumulates_over_batches_and_resets(pair):
    metric = RMSE()
    metric.update_state(pair[0][:2], pair[1][:2])
    metric.update_state(pair[0][2:], pair[1][2:])
    assert number(metric.result()) == pytest.approx(np.sqrt(14 / 7))
    metric.reset_state()
    assert number(metric.result()) == 0


def test_the_gradient_of_missing_labels_is_zero_not_nan(pair):
    true, _ = pair
    layer = keras.layers.Dense(4, kernel_initializer="ones")
    model = keras.Sequential([keras.Input((1,)), layer])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss=masked_mse)
    model.fit(np.ones((3, 1), np.float32), true, epochs=1, batch_size=3, verbose=0)
    assert np.isfinite(layer.get_weights()[0]).all()


def test_accuracy_is_agreement_of_the_largest_coordinate():
    true = np.array([[1, 9, 3], [1, np.nan, 3], [7, 2, 3]], np.float32)
    predicted = np.array([[2, 8, 1], [1, 99, 5], [1, 2, 3]], np.float32)
    agreement = keras.ops.convert_to_numpy(accuracy(true, predicted))
    assert agreement.tolist() == [1, 1, 0]
