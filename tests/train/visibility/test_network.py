import numpy as np
import pytest

pytest.importorskip("keras")

from train.visibility.network import UNKNOWN, known_crossentropy


def loss(seen, logits):
    arrays = (np.array([row], np.float32) for row in (seen, logits))
    return float(np.asarray(known_crossentropy(*arrays)))


def test_the_loss_is_the_mean_cross_entropy():
    assert loss([1, 0], [0, 0]) == pytest.approx(np.log(2))
    assert loss([0], [2]) == pytest.approx(np.log(1 + np.exp(2)))
    assert loss([0.5], [0]) == pytest.approx(np.log(2))


def test_what_is_unknown_does_not_count():
    assert loss([1, UNKNOWN], [0, 9]) == pytest.approx(np.log(2))
    assert loss([UNKNOWN], [3]) == 0


def test_a_seen_keypoint_that_looks_surely_hidden_does_not_teach():
    assert loss([1], [-5]) == loss([1], [-9]) == pytest.approx(2.5)
    assert loss([0], [9]) > 8
