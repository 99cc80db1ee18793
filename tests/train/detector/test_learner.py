import pytest

keras = pytest.importorskip("keras")
torch = pytest.importorskip("torch")
pytest.importorskip("cv2")

from dataclasses import replace  # noqa: E402

from train.detector.learner import Learner  # noqa: E402
from train.detector.loss import Cells  # noqa: E402
from train.detector.network import build  # noqa: E402
from train.recipes import FACE_RECIPES  # noqa: E402

SIDE = 96
RECIPE = replace(FACE_RECIPES["face"], batch_size=4, momentum=0.5)


def batch(cells):
    """Bright squares, each a face of its own roll."""
    images = torch.full((4, SIDE, SIDE), 30, dtype=torch.uint8)
    rows = torch.zeros((4, 1, 7))
    for i in range(4):
        x = 20 + 15 * i
        images[i, 30:52, x : x + 18] = 200
        rows[i, 0] = torch.tensor([x + 8.5, 40.5, 18, 22, 0.3 * i, 1, 1])
    return images, cells.assign(rows)


@pytest.fixture
def learner():
    return Learner(build(1), RECIPE, Cells(SIDE, "cpu"))


def test_a_few_batches_are_learnt_by_heart(learner):
    images, targets = batch(Cells(SIDE, "cpu"))
    losses = []
    for _ in range(60):
        learner.losses.zero_()
        learner.learn(images, targets, 5e-3)
        losses.append(float(learner.losses.sum()))
    assert losses[-1] < 0.4 * losses[0]
    assert learner.steps == 60
    assert ((learner.scores >= 0) & (learner.scores <= 1)).all()


def test_the_averaged_weights_lag_behind_and_are_written_to_the_keras_network(learner):
    network = build(1)
    for _ in range(3):
        learner.learn(*batch(Cells(SIDE, "cpu")), 1e-2)
    learner.write_average(network)
    average = network.get_layer("stride_8_answer").get_weights()[1]
    current = dict(learner._twin.named_parameters())["layers.stride_8_answer.bias"].detach().numpy()
    first = build(1).get_layer("stride_8_answer").get_weights()[1]
    assert (average != first).any()
    assert (average != current).any()
    assert abs(average - first).sum() < abs(current - first).sum()


def test_a_resumed_learner_continues_as_if_it_had_not_stopped(learner, tmp_path):
    data = batch(Cells(SIDE, "cpu"))
    learner.learn(*data, 1e-3)
    learner.save(tmp_path)
    learner.learn(*data, 1e-3)
    other = Learner(build(2), RECIPE, Cells(SIDE, "cpu"))
    other.resume(tmp_path)
    assert other.steps == 1
    other.learn(*data, 1e-3)
    for ours, theirs in zip(learner._weights, other._weights, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
