import importlib

import numpy as np
import pandas as pd
import pytest

keras = pytest.importorskip("keras")

from tests.conftest import ROOT  # noqa: E402
from train import checkpoints  # noqa: E402
from train.errors import RunError  # noqa: E402
from train.keypoints.network import NETWORKS, build  # noqa: E402
from train.recipes import RECIPES  # noqa: E402


@pytest.mark.parametrize("name", ["model.keras", "face/model.keras", "research/model.keras"])
def test_the_committed_models_can_be_loaded(name):
    model = checkpoints.load(ROOT / "export" / "models" / name)
    inputs = np.zeros((1, 96, 96, 1), np.uint8)
    outputs = keras.tree.map_structure(keras.ops.convert_to_numpy, model(inputs))
    assert all(np.isfinite(values).all() for values in keras.tree.flatten(outputs))


def test_a_compiled_network_is_loaded_with_weights_loss_and_schedule(tmp_path):
    network = build(RECIPES["research"], steps_per_epoch=10)
    network.optimizer.build(network.trainable_variables)
    checkpoints.save(network, tmp_path / "last.keras")
    assert [path.name for path in tmp_path.iterdir()] == ["last.keras"]
    loaded = checkpoints.load(tmp_path / "last.keras")
    for saved, read in zip(network.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(saved, read)
    assert loaded.loss.__name__ == "masked_distance"
    schedules = (model.optimizer._learning_rate.get_config() for model in (network, loaded))
    assert next(schedules) == next(schedules)


def test_the_registered_names_in_model_files_are_unchanged():
    for module in ("keypoints.joint_loss", "keypoints.losses", "torch_layers"):
        importlib.import_module(f"train.{module}")
    names = {name for name in keras.saving.get_custom_objects() if name.startswith("train>")}
    assert names >= {
        "train>DirectConv2D", "train>FusedNormalization", "train>RMSE",
        "train>WarmHoldCool", "train>accuracy", "train>joint_loss", "train>masked_absolute",
        "train>masked_distance", "train>masked_mse",
    }  # fmt: skip


def test_a_file_that_is_not_a_model_is_an_error_that_names_it(tmp_path):
    (tmp_path / "junk.keras").write_bytes(b"junk")
    for name in ("junk.keras", "missing.keras"):
        with pytest.raises(RunError, match=f"{name}: cannot be read as a Keras model"):
            checkpoints.load(tmp_path / name)


def test_weights_are_copied_only_between_networks_of_one_architecture(tmp_path):
    trained, network = (NETWORKS["reference"](0.3, seed) for seed in (1, 2))
    checkpoints.save(trained, tmp_path / "model.keras")
    checkpoints.copy_weights(network, tmp_path / "model.keras")
    for ours, theirs in zip(network.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(RunError, match="has another architecture than compact"):
        checkpoints.copy_weights(NETWORKS["compact"](0.0, 0), tmp_path / "model.keras")


def test_rows_of_the_history_after_the_last_complete_epoch_are_dropped(tmp_path):
    history = pd.DataFrame({"epoch": [1, 2, 3], "loss": [3.0, 2.0, 1.0]})
    checkpoints.write_history(history, tmp_path)
    assert checkpoints.read_history(tmp_path, 2)["loss"].tolist() == [3.0, 2.0]
    assert checkpoints.read_history(tmp_path, 0).empty
