import numpy as np
import pandas as pd
import pytest

keras = pytest.importorskip("keras")

from train import learning_rate  # noqa: E402
from train.epoch_loop import Monitor, Training, describe_time, fit  # noqa: E402
from train.learning_rate import TimeLimit, rate_at  # noqa: E402
from train.recipes import Recipe  # noqa: E402

RECIPE = Recipe("r", epochs=100, cooldown=50, batch_size=4, learning_rate=2.0)


class Clock:
    """Time passes only where the test says so."""

    def __init__(self):
        self.seconds = 1000.0

    def monotonic(self):
        return self.seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(learning_rate, "time", clock)
    return clock


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return np.ones((4, 1), np.float32), np.zeros((4, 1), np.float32)


def build():
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    network.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse", jit_compile=False)
    return network


@pytest.fixture
def slow_epochs(clock, monkeypatch):
    """Each epoch takes 25 s."""

    def pass_time(self, epoch, logs=None):
        clock.seconds += 25

    monkeypatch.setattr(TimeLimit, "on_epoch_begin", pass_time)


def training(minutes):
    return Training(
        recipe=RECIPE,
        steps_per_epoch=2,
        build=build,
        batches=lambda epoch: Batches(),
        validation=(np.ones((4, 1), np.float32), np.zeros((4, 1), np.float32)),
        monitor=Monitor("val_loss", "validation loss {:.2f}", 1000),
        minutes=minutes,
    )


@pytest.mark.usefixtures("slow_epochs")
def test_training_ends_at_the_epoch_nearest_to_the_limit(tmp_path, capsys):
    fit(training(minutes=1.0), tmp_path, resume=False)
    history = pd.read_csv(tmp_path / "history.csv")
    assert history["seconds"].tolist() == [25, 50]  # a third epoch would end at 75 s
    assert capsys.readouterr().out.splitlines()[-1].endswith("at most 0 s left")


@pytest.mark.usefixtures("slow_epochs")
def test_an_interrupted_training_has_only_the_remaining_time(tmp_path):
    first = training(minutes=0.5)
    fit(first, tmp_path, resume=False)
    assert pd.read_csv(tmp_path / "history.csv")["seconds"].tolist() == [25]
    fit(first, tmp_path, resume=True)  # its time is up
    assert len(pd.read_csv(tmp_path / "history.csv")) == 1
    fit(training(minutes=1.0), tmp_path, resume=True)
    assert pd.read_csv(tmp_path / "history.csv")["seconds"].tolist() == [25, 50]


def limit_at(clock, used_s, epoch=0, minutes=1.0):
    history = pd.DataFrame({"epoch": range(1, epoch + 1), "seconds": float(used_s)})
    limit = TimeLimit(RECIPE, minutes, history)
    model = build()
    limit.set_model(model)
    limit.set_params({"steps": 2})
    if not epoch:
        clock.seconds += used_s
    limit.on_train_batch_begin(0)
    return float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))


@pytest.mark.parametrize(("used_s", "rate"), [(30, 2.0), (45, 1.01), (60, 0.02), (90, 0.02)])
def test_the_learning_rate_decays_with_the_time(used_s, rate, clock):
    # The cooldown is half of the epochs, so half of the time: its middle is at 45 s.
    assert limit_at(clock, used_s) == pytest.approx(rate, rel=1e-3)


def test_the_learning_rate_decays_with_the_epochs_if_they_end_first(clock):
    assert limit_at(clock, used_s=1, epoch=75) == pytest.approx(1.01, rel=1e-3)


def test_the_learning_rate_warms_up_over_a_fiftieth():
    assert rate_at(RECIPE, 0.01) == pytest.approx(1.0, rel=0.02)
    assert rate_at(RECIPE, 0.02) == pytest.approx(2.0, rel=0.01)


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (89, "89 s"), (100, "2 min")])
def test_a_remaining_time_is_in_seconds_or_minutes(seconds, text):
    assert describe_time(seconds) == text
