import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")

import keras
import torch

from train.errors import RunError
from train.keypoints.joint_loss import joint_loss
from train.keypoints.residual_network import ERRORS, POINTS, Shape, residual
from train.keypoints.torch_learner import TorchJointLoss, TorchLearner
from train.recipes import JointRecipe

RECIPE = JointRecipe("tiny", batch_size=2, momentum=0.5)


@pytest.fixture
def network():
    return residual(Shape(4, ((4, 0), (4, 0), (4, 0)), 4), seed=3)


@pytest.fixture
def batch(rng):
    images = rng.integers(0, 256, (2, 96, 96, 1)).astype(np.uint8)
    targets = rng.uniform(20, 70, (2, POINTS + 1)).astype(np.float32)
    targets[:, POINTS] = (1, 0)
    targets[1, :POINTS] = np.nan
    return torch.tensor(images), torch.tensor(targets)


def test_the_loss_is_that_of_the_other_backends(rng):
    true = rng.uniform(0, 90, (8, POINTS + 1)).astype(np.float32)
    true[:, POINTS] = rng.integers(0, 2, 8)
    true[0] = np.nan
    true[1, :20] = np.nan
    predicted = rng.uniform(0, 90, (8, POINTS + ERRORS + 1)).astype(np.float32)
    loss = TorchJointLoss(torch.device("cpu"))(torch.tensor(true), torch.tensor(predicted))
    expected = joint_loss(keras.ops.convert_to_tensor(true), keras.ops.convert_to_tensor(predicted))
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)


def test_steps_reduce_the_loss(network, batch):
    learner = TorchLearner(network, RECIPE, batches_per_update=1)
    losses = []
    for _ in range(20):
        learner.learn(*batch, 1e-2)
        losses.append(float(learner.loss))
    assert losses[-1] < losses[0] / 2


def test_the_average_follows_the_weights_with_a_rising_decay(network, batch):
    before = network.get_layer("keypoints_answers").get_weights()[0]
    learner = TorchLearner(network, RECIPE, batches_per_update=1)
    learner.learn(*batch, 1e-2)
    learner._twin.write_back(network)
    after = network.get_layer("keypoints_answers").get_weights()[0]
    learner.update_average()  # the decay of the first update is 1 / 10
    learner.write_average(network)
    average = network.get_layer("keypoints_answers").get_weights()[0]
    np.testing.assert_allclose(average, 0.1 * before + 0.9 * after, atol=1e-7)


def test_a_resumed_learner_continues_as_if_it_had_not_stopped(network, batch, tmp_path):
    learner = TorchLearner(network, RECIPE, batches_per_update=1)
    learner.learn(*batch, 1e-2)
    learner.update_average()
    learner.save(tmp_path)
    resumed = TorchLearner(network, RECIPE, batches_per_update=1)
    resumed.resume(tmp_path)
    assert resumed.updates == 1
    for each in (learner, resumed):
        each.learn(*batch, 5e-3)
    assert float(resumed.loss) == pytest.approx(float(learner.loss), rel=1e-5)
    for one, other in zip(learner._weights, resumed._weights, strict=True):
        torch.testing.assert_close(one, other)


def test_a_checkpoint_that_is_none_is_an_error(network, tmp_path):
    (tmp_path / TorchLearner.CHECKPOINT).write_bytes(b"junk")
    with pytest.raises(RunError, match=r"last\.pt: cannot be resumed"):
        TorchLearner(network, RECIPE, batches_per_update=1).resume(tmp_path)
