import numpy as np
import pandas as pd
import pytest

keras = pytest.importorskip("keras")

from train.epoch_loop import Monitor, Training, fit  # noqa: E402
from train.recipes import Recipe  # noqa: E402


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return np.ones((4, 1), np.float32), np.zeros((4, 1), np.float32)


def build():
    layer = keras.layers.Dense(1, kernel_initializer="ones", use_bias=False)
    network = keras.Sequential([keras.Input((1,)), layer])
    network.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse", jit_compile=False)
    return network


def training(epochs, patience):
    return Training(
        recipe=Recipe("r", epochs=epochs, batch_size=4),
        steps_per_epoch=2,
        build=build,
        batches=lambda epoch: Batches(),
        validation=(np.ones((4, 1), np.float32), np.zeros((4, 1), np.float32)),
        monitor=Monitor("val_loss", "validation loss {:.2f}", patience),
    )


def test_training_stops_after_as_many_epochs_without_improvement_as_the_patience(tmp_path, capsys):
    fit(training(epochs=9, patience=2), tmp_path, resume=False)
    # The learning rate is 0: the first epoch stays the best.
    assert pd.read_csv(tmp_path / "history.csv")["epoch"].tolist() == [1, 2, 3]
    assert capsys.readouterr().out.startswith("epoch 1 of 9: validation loss 1.00, ")
    assert {path.name for path in tmp_path.iterdir()} == {
        "history.csv", "best.keras", "last.keras"
    }  # fmt: skip
    fit(training(epochs=9, patience=2), tmp_path, resume=True)
    assert len(pd.read_csv(tmp_path / "history.csv")) == 3


def test_a_resumed_run_continues_after_its_last_epoch(tmp_path):
    fit(training(epochs=1, patience=9), tmp_path, resume=False)
    fit(training(epochs=3, patience=9), tmp_path, resume=True)
    assert pd.read_csv(tmp_path / "history.csv")["epoch"].tolist() == [1, 2, 3]


def test_a_run_starts_with_the_weights_of_a_model(tmp_path):
    parent = build()
    parent.set_weights([np.full((1, 1), 0.5, np.float32)])
    parent.layers[-1].name = "dense"
    parent.save(tmp_path / "parent.keras")
    network = build()
    network.layers[-1].name = "dense"
    start = training(epochs=1, patience=9)
    start = Training(
        start.recipe, 2, lambda: network, start.batches, start.validation, start.monitor
    )
    (tmp_path / "run").mkdir()
    fit(start, tmp_path / "run", resume=False, start_from=tmp_path / "parent.keras")
    history = pd.read_csv(tmp_path / "run" / "history.csv")
    assert history["val_loss"].tolist() == pytest.approx([0.25])
