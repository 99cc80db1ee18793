import numpy as np
import pytest

from train.adapt.regression import fit


@pytest.fixture
def views(rng):
    """100 faces in two views each, 300 features, of which one says how wrong keypoint 0 is."""
    features = np.repeat(rng.normal(size=(100, 300)), 2, axis=0) + 0.01 * rng.normal(
        size=(200, 300)
    )
    wrong = rng.normal(0, 0.1, (200, 3, 2))
    wrong[:, 0, 0] += 3 * features[:, 7]
    wrong[:, :, 1] += 2.0
    return features, wrong, np.repeat(np.arange(100.0), 2)


def test_what_features_say_is_corrected_and_measured_on_groups_left_out(views):
    features, wrong, groups = views
    correction = fit(features, wrong, groups)
    assert correction.before_px == pytest.approx(np.linalg.norm(wrong, axis=2).mean())
    assert correction.after_px < correction.constant_px < correction.before_px
    remaining = wrong - (features @ correction.weights + correction.bias).reshape(-1, 3, 2)
    assert np.abs(remaining[:, 0, 0]).mean() < 0.5 * np.abs(wrong[:, 0, 0]).mean()
    assert remaining[..., 1].mean() == pytest.approx(0, abs=0.01)


def test_where_features_say_nothing_a_constant_is_added(rng):
    wrong = np.array([4.0, -1.0]) + rng.normal(0, 1, (200, 2, 2))
    correction = fit(rng.normal(size=(200, 300)), wrong, np.arange(200.0))
    assert correction.after_px <= correction.constant_px < correction.before_px
    np.testing.assert_allclose(correction.bias, [4, -1, 4, -1], atol=0.5)


def test_a_keypoint_without_enough_labels_stays_and_missing_labels_are_left_out(views):
    features, wrong, groups = views
    wrong[10:, 1] = np.nan
    wrong[:100, 2] = np.nan
    correction = fit(features, wrong, groups)
    added = (features @ correction.weights + correction.bias).reshape(-1, 3, 2)
    assert (added[:, 1] == 0).all()
    assert added[:, 2, 1].mean() == pytest.approx(2.0, abs=0.1)
