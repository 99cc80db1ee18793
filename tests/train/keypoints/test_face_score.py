import numpy as np
import pytest

keras = pytest.importorskip("keras")

from tests.made_faces import made_training_faces  # noqa: E402
from train.data.augmentation import Augmentation  # noqa: E402
from train.keypoints import face_score  # noqa: E402
from train.keypoints.network import NETWORKS  # noqa: E402
from train.keypoints.residual_network import Shape, residual, to_contract  # noqa: E402
from train.keypoints.score_training import ScorePlan  # noqa: E402


@pytest.mark.parametrize(("name", "channels"), [("compact", 32), ("reference", 64)])
def test_the_branch_starts_from_a_quarter_of_the_side(name, channels):
    assert face_score._input_map(NETWORKS[name](0.0, 0)).shape == (None, 24, 24, channels)


@pytest.mark.slow
def test_the_branch_is_trained_and_the_network_is_unchanged(rng):
    network = NETWORKS["compact"](0.0, 0)
    before = [weights.copy() for weights in network.get_weights()]
    flat = rng.integers(100, 150, (128, 1, 1), dtype=np.uint8)
    faces = np.tile(flat, (1, 96, 96))
    faces[:, 30:60, 20:70] //= 4  # a dark bar
    background = np.tile(flat, (1, 96, 96))
    score = face_score.add_score(network, faces, background, ScorePlan(4096, seed=0))
    model = keras.Model(network.inputs[0], score)
    scores = np.asarray(model.predict(np.concatenate([faces, background])[..., None], verbose=0))
    assert scores.shape == (256,)
    assert (scores[:128] > 0.5).mean() > 0.95
    assert (scores[128:] < 0.5).mean() > 0.95
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(("samples", "count"), [(40, 20), (1000, 32)])
def test_no_more_crops_are_made_than_are_trained_on(samples, count, rng):
    # 4 faces give at most 8 crops each.
    crops = face_score.make_crops(made_training_faces(4), [], Augmentation(), samples, rng)
    assert [len(part) for part in crops] == [count, count]


def test_the_branch_can_start_with_that_of_another_model(tmp_path, monkeypatch):
    network = NETWORKS["compact"](0.0, 0)
    branch = face_score._branch((24, 24, 32), seed=5)
    branch.save(tmp_path / "model.keras")
    started = []
    monkeypatch.setattr(
        face_score, "train_branch", lambda stem, learner, *_: started.append(learner.get_weights())
    )
    crops = np.zeros((2, 96, 96), np.uint8)
    plan = ScorePlan(2, seed=0, start_from=tmp_path / "model.keras")
    face_score.add_score(network, crops, crops, plan)
    for weights, expected in zip(started[0], branch.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, expected)


def test_the_score_layers_of_a_residual_network_are_trained_and_no_others(rng):
    network = to_contract(residual(Shape(4, ((4, 0), (4, 0), (4, 0)), 4)), [1.0] * 15)
    faces = rng.integers(180, 256, (40, 96, 96)).astype(np.uint8)  # bright
    background = rng.integers(0, 80, (40, 96, 96)).astype(np.uint8)
    before = {layer.name: layer.get_weights() for layer in network.layers}
    tuned = face_score.tune_score(network, faces, background, ScorePlan(2560, seed=0))
    for layer in tuned.layers:
        for old, new in zip(before[layer.name], layer.get_weights(), strict=True):
            assert (old != new).any() == layer.name.startswith("score_"), layer.name
    scores = [tuned.predict(x[..., None], verbose=0)["face_score"] for x in (faces, background)]
    assert scores[0].min() > scores[1].max()
