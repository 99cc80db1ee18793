import keras
import numpy as np
import pytest

from train.keypoints.joint_loss import joint_loss, point_distances, point_weights, score_loss
from train.keypoints.residual_network import ERRORS, POINTS


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def test_the_weights_add_up_to_1_and_a_jaw_point_has_half_a_weight():
    weights = point_weights()
    assert len(weights) == POINTS // 2
    assert sum(weights) == pytest.approx(1)
    assert sum(weights[:ERRORS]) == pytest.approx(1 / 1.7)
    assert weights[ERRORS] == pytest.approx(weights[-1] / 2)


def test_distances_are_euclidean_and_masked_without_a_label():
    true = np.zeros((1, POINTS), np.float32)
    true[0, 2:4] = np.nan
    predicted = np.zeros((1, POINTS), np.float32)
    predicted[0, :4] = (3, 4, 8, 8)
    distance, is_labelled = map(numpy, point_distances(true, predicted))
    assert distance[0, :3] == pytest.approx([np.sqrt(25.1) - np.sqrt(0.1), 0, 0], abs=1e-6)
    assert is_labelled[0, :3].tolist() == [1, 0, 1]


def test_the_score_loss_is_the_cross_entropy_of_labelled_crops():
    true = np.float32([1, 0, np.nan])
    loss = score_loss(true, np.float32([0, np.log(3), 99]))
    assert float(numpy(loss)) == pytest.approx((np.log(2) + np.log(4)) / 2)


def test_a_perfect_prediction_has_no_loss():
    true = np.full((2, POINTS + 1), 40, np.float32)
    true[:, POINTS] = (1, 0)
    predicted = np.full((2, POINTS + ERRORS + 1), 40, np.float32)
    predicted[:, POINTS : POINTS + ERRORS] = 0
    predicted[:, -1] = (50, -50)
    assert float(numpy(joint_loss(true, predicted))) == pytest.approx(0, abs=1e-5)


def test_an_unlabelled_value_is_masked(rng):
    true = rng.uniform(0, 96, (3, POINTS + 1)).astype(np.float32)
    true[:, POINTS] = (1, 0, np.nan)
    predicted = rng.uniform(0, 96, (3, POINTS + ERRORS + 1)).astype(np.float32)
    true[1, :POINTS] = np.nan
    loss = float(numpy(joint_loss(true, predicted)))
    predicted[1, :POINTS] = 1e4
    assert float(numpy(joint_loss(true, predicted))) == pytest.approx(loss, rel=1e-5)
