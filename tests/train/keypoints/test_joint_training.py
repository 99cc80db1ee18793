import dataclasses
import json

import keras
import numpy as np
import pytest

from tests.made_faces import make_labelled_faces
from train.errors import RunError
from train.keypoints.joint_training import (
    HISTORY,
    NETWORK,
    Options,
    _learning_rate,
    _Loop,
    _strength,
    train_jointly,
)
from train.keypoints.keras_learner import AVERAGE, WeightAverage
from train.keypoints.residual_network import SHAPES, Shape
from train.recipes import JointRecipe

TINY = JointRecipe("tiny", shape="tiny", samples=32, batch_size=2)  # two steps


@pytest.fixture(autouse=True, scope="module")
def tiny_shape():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SHAPES, "tiny", Shape(4, ((4, 0), (4, 0), (4, 0)), 4))
        yield


@pytest.fixture(scope="module")
def faces():
    return make_labelled_faces(6, np.random.default_rng(7))


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_shape, faces):
    """The folder of an uninterrupted training."""
    folder = tmp_path_factory.mktemp("trained")
    train_jointly(TINY, faces, folder)
    return folder


def weights_of(path):
    return keras.saving.load_model(path, compile=False).get_weights()


def history(folder):
    return [json.loads(line) for line in (folder / HISTORY).read_text().splitlines()]


def test_the_learning_rate_warms_up_stays_and_decays_to_a_hundredth():
    recipe = JointRecipe("r", learning_rate=1.0, hold=0.4)
    rates = [_learning_rate(recipe, progress) for progress in (0, 0.005, 0.4, 0.7, 1)]
    assert rates == pytest.approx([0.01, 0.51, 1, 0.505, 0.01])


def test_the_random_changes_become_weaker_after_the_hold_until_the_middle_of_the_rest():
    recipe = JointRecipe("r", hold=0.2, final_strength=0.4)
    strengths = [_strength(recipe, progress) for progress in (0, 0.2, 0.4, 0.6, 1)]
    assert strengths == pytest.approx([1, 1, 0.7, 0.4, 0.4])


@pytest.mark.slow
def test_a_resumed_training_ends_with_the_weights_of_an_uninterrupted_one(
    trained, faces, tmp_path, capsys
):
    # The learning rates of the first step, at progress 0, are the same.
    train_jointly(dataclasses.replace(TINY, samples=16), faces, tmp_path)
    train_jointly(TINY, faces, tmp_path, Options(resume=True))
    assert [line["samples"] for line in history(tmp_path)] == [16, 32]
    for expected, weights in zip(
        weights_of(trained / NETWORK), weights_of(tmp_path / NETWORK), strict=True
    ):
        np.testing.assert_allclose(weights, expected, atol=1e-5)
    assert "100%, 32 samples" in capsys.readouterr().out


def test_progress_is_the_share_of_the_samples_or_of_the_time_limit(faces, tmp_path):
    loop = _Loop(TINY, faces, tmp_path, Options(seconds=1000))
    assert loop.progress() == pytest.approx(0, abs=0.01)
    assert loop.progress(step=1) == 0.5
    loop._learner._average.updates = 1
    assert loop.progress() == 0.5
    loop._start -= 800
    assert loop.progress() == pytest.approx(0.8, abs=0.01)
    loop._start -= 800
    assert loop.progress() == 1


def test_the_network_has_the_averaged_weights(trained):
    network = keras.saving.load_model(trained / NETWORK, compile=False)
    average = WeightAverage(network, 0.5)
    average.load(trained / AVERAGE)
    assert average.updates == 2
    for weights, expected in zip(network.get_weights(), average.weights(), strict=True):
        np.testing.assert_array_equal(weights, expected)
    assert [line["samples"] for line in history(trained)] == [32]


def test_a_teacher_moves_labelled_targets_and_no_others(trained, faces, tmp_path):
    loop = _Loop(TINY, faces, tmp_path, Options(teacher=trained / NETWORK))
    crops = np.zeros((2, 96, 96, 1), np.uint8)
    targets = np.full((2, 167), np.nan, np.float32)
    targets[0] = 10
    blended = loop._blend_teacher(crops, targets)
    predicted = loop._teacher.predict_on_batch(crops)[0, :166]
    np.testing.assert_allclose(blended[0, :166], 0.4 * 10 + 0.6 * predicted, rtol=1e-5)
    assert blended[0, 166] == 10
    assert np.isnan(blended[1]).all()


def test_a_training_starts_with_the_weights_of_another(trained, faces, tmp_path):
    loop = _Loop(TINY, faces, tmp_path, Options(start_from=trained / NETWORK))
    for weights, expected in zip(
        loop._network.get_weights(), weights_of(trained / NETWORK), strict=True
    ):
        np.testing.assert_array_equal(weights, expected)


def test_networks_that_cannot_be_used_are_an_error(faces, tmp_path):
    junk = tmp_path / "junk.keras"
    junk.write_bytes(b"junk")
    for options in (Options(teacher=junk), Options(start_from=junk)):
        with pytest.raises(RunError, match=r"junk\.keras"):
            train_jointly(TINY, faces, tmp_path, options)
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    other.save(tmp_path / "other.keras")
    with pytest.raises(RunError, match=r"expected network\.keras of a keypoints run"):
        train_jointly(TINY, faces, tmp_path, Options(teacher=tmp_path / "other.keras"))
