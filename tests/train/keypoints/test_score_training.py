import numpy as np
import pytest

keras = pytest.importorskip("keras")

from train.errors import RunError  # noqa: E402
from train.keypoints import score_training  # noqa: E402
from train.keypoints.score_training import ScorePlan, count_samples, train_branch  # noqa: E402


class Interrupt(Exception):
    pass


def networks():
    """A stem of average pooling, and a branch with dropout that starts with the same weights."""
    stem = keras.Sequential([keras.Input((96, 96, 1)), keras.layers.AveragePooling2D(32)])
    branch = keras.Sequential([
        keras.Input((3, 3, 1)),
        keras.layers.Rescaling(1 / 100),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.5, seed=0),
        keras.layers.Dense(1, kernel_initializer="zeros"),
    ])  # fmt: skip
    return stem, branch


def crops(rng, count=300):
    """Bright crops with a face and dark ones without, and which are which."""
    is_face = (np.arange(count) % 2).astype(np.float32)[:, None]
    grey = np.where(is_face[:, 0] == 1, 160, 90) + rng.integers(0, 10, count)
    return np.tile(grey.astype(np.uint8)[:, None, None], (1, 96, 96)), is_face


def train(plan, data):
    stem, branch = networks()
    train_branch(stem, branch, *data, plan)
    return branch.get_weights()


def interrupt_after(monkeypatch, step):
    """Stop a training when it would write its checkpoint after `step` steps."""
    save = score_training._Checkpoint.save_if_due

    def save_then_stop(self, learner, done):
        save(self, learner, done)
        if done == step:
            raise Interrupt

    monkeypatch.setattr(score_training._Checkpoint, "save_if_due", save_then_stop)


def test_the_crops_to_train_on_are_a_share_of_those_of_the_keypoints():
    assert count_samples(400_000, 0.25) == 100_000
    assert count_samples(40, 0.25) == 2560  # not fewer than a few seconds' worth


@pytest.mark.parametrize(
    ("crops", "samples", "steps"),
    [
        (12_800, 12_800, 100),  # one epoch of batches of 128
        (12_800, 6_400, 50),  # half an epoch
        (128, 1_000_000, 16),  # at most 16 epochs
        (200_000, 2_000_000, 4689),  # at most 600,000 crops: 3 epochs of 1,563 batches
        (300, 1, 1),
    ],
)
def test_the_number_of_steps_is_bounded(crops, samples, steps):
    assert score_training._count_steps(crops, samples) == steps


def test_every_crop_is_drawn_once_per_epoch(rng):
    batches = score_training._Batches(crops(rng)[0], seed=0)
    rows = [batches.make(step)[1] for step in range(6)]  # two epochs of three batches
    assert [len(r) for r in rows] == [100] * 6
    for epoch in (rows[:3], rows[3:]):
        assert sorted(np.concatenate(epoch)) == list(range(300))


def test_an_interrupted_training_continues_to_the_same_weights(tmp_path, rng, monkeypatch):
    data = crops(rng)
    straight = train(ScorePlan(1500, 0), data)
    plan = ScorePlan(1500, 0, tmp_path / "score.npz")
    monkeypatch.setattr(score_training, "_SAVE_SECONDS", 0.0)
    with monkeypatch.context() as patch:
        interrupt_after(patch, step=7)
        with pytest.raises(Interrupt):
            train(plan, data)
    steps = []
    save = score_training._Checkpoint.save_if_due
    monkeypatch.setattr(
        score_training._Checkpoint,
        "save_if_due",
        lambda self, learner, done: (steps.append(done), save(self, learner, done)),
    )
    resumed = train(plan, data)
    assert steps == list(range(8, 16))
    assert np.abs(straight[0]).max() > 0.01
    for weights, expected in zip(resumed, straight, strict=True):
        np.testing.assert_allclose(weights, expected, rtol=1e-3, atol=1e-5)


def test_a_checkpoint_of_other_crops_is_not_continued(tmp_path, rng, monkeypatch):
    data, other = crops(rng), crops(rng)
    plan = ScorePlan(600, 0, tmp_path / "score.npz")
    monkeypatch.setattr(score_training, "_SAVE_SECONDS", 0.0)
    train(plan, data)
    expected = train(ScorePlan(600, 0), other)
    for weights, straight in zip(train(plan, other), expected, strict=True):
        np.testing.assert_allclose(weights, straight, rtol=1e-3, atol=1e-5)


def test_a_broken_checkpoint_is_an_error_that_names_it(tmp_path, rng):
    (tmp_path / "score.npz").write_bytes(b"junk")
    with pytest.raises(RunError, match=r"score\.npz: cannot be read .*delete it"):
        train(ScorePlan(600, 0, tmp_path / "score.npz"), crops(rng))


def test_progress_ends_with_no_time_left(rng, capsys):
    train(ScorePlan(600, 0), crops(rng))
    assert capsys.readouterr().out == "face_score: 100%, 0 s left\n"


def test_progress_is_the_share_of_the_steps_and_their_remaining_time(capsys, monkeypatch):
    clock = iter([100.0, 160.0, 165.0, 400.0])
    monkeypatch.setattr(score_training.time, "monotonic", lambda: next(clock))
    progress = score_training._Progress(first=10, steps=50)
    progress.print_if_due(20)  # 10 steps in 60 s: 30 more take 180 s
    progress.print_if_due(21)  # only 5 s later
    progress.print_if_due(50)
    assert capsys.readouterr().out == "face_score: 40%, 3 min left\nface_score: 100%, 0 s left\n"
