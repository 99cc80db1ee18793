import numpy as np
import pytest

keras = pytest.importorskip("keras")

from train.keypoints import face_score  # noqa: E402
from train.keypoints.network import NETWORKS  # noqa: E402


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
    score = face_score.add_score(network, faces, background, seed=0)
    model = keras.Model(network.inputs[0], score)
    scores = np.asarray(model.predict(np.concatenate([faces, background])[..., None], verbose=0))
    assert scores.shape == (256,)
    assert (scores[:128] > 0.5).mean() > 0.95
    assert (scores[128:] < 0.5).mean() > 0.95
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
