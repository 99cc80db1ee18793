from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("cv2")

from tests.made_photos import bright_photo, empty_photo, grey_photo  # noqa: E402
from train.detector.draws import Drawer  # noqa: E402
from train.detector.sampling import Sampling  # noqa: E402
from train.errors import DataError  # noqa: E402
from train.recipes import FACE_RECIPES  # noqa: E402

RECIPE = FACE_RECIPES["face"]
TWO_FACES = ((10, 10, 20, 24), (60, 60, 30, 36))


@pytest.fixture
def sampling():
    photos = [
        bright_photo("permissive"),
        grey_photo("permissive", boxes=TWO_FACES),
        bright_photo("facemask"),
        empty_photo("negatives"),
        empty_photo("no_face"),
    ]
    return Sampling(photos, RECIPE, "cpu")


def share(weights, pool, *rows):
    """The share of the weights of photos, and of their variants, with that many faces."""
    chosen = [
        i for i, source in enumerate(pool.sources) if (source, int(pool.face_counts[i])) in rows
    ]
    return float(weights[chosen].sum() / weights.sum())


def test_photos_are_drawn_by_the_recipes_shares(sampling):
    one, several, masked = ("permissive", 1), ("permissive", 2), ("facemask", 1)
    weights, pool = sampling.weights, sampling.pool
    expected = dict(RECIPE.single_shares)
    total = 0.0
    for row, name in ((one, "one"), (several, "several"), (masked, "masked")):
        measured = share(weights.single, pool, row)
        # Photos without a variant lack the variant's part of their share.
        assert 0.5 * expected[name] < measured < 1.6 * expected[name]
        total += measured
    assert total == pytest.approx(1, abs=1e-5)
    assert share(weights.pasted, pool, one) == pytest.approx(1, abs=1e-5)
    empty = ("negatives", 0), ("no_face", 0)
    assert share(weights.negative, pool, *empty) == pytest.approx(1, abs=1e-5)


def test_backgrounds_on_which_the_network_fires_are_drawn_more_often(sampling):
    drawer = Drawer(sampling.pool, sampling.weights, seed=0)
    draws = drawer.draw(400, 0)
    first = sampling.pool.sources.index("negatives")
    scores = (draws.background.photos == first).float()
    before = sampling.weights.negative.clone()
    for _ in range(20):
        sampling.learn_hardness(draws, scores)
    sampling.update()
    ratio = sampling.weights.negative / before
    hard, others = ratio[first], ratio[draws.background.photos[scores == 0]]
    assert hard > 2 * others.max()


def test_without_single_faces_or_empty_photos_there_is_an_error():
    with pytest.raises(DataError, match="0 with one face alone"):
        Sampling([grey_photo("permissive", boxes=TWO_FACES), empty_photo()], RECIPE, "cpu")
    with pytest.raises(DataError, match="0 without a face"):
        Sampling([bright_photo("permissive")], replace(RECIPE, seed=1), "cpu")
    weights = Sampling([bright_photo("a"), empty_photo()], RECIPE, "cpu").weights
    assert weights.pasted.isfinite().all()
