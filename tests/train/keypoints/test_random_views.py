import numpy as np
import pytest

from edge.keypoints import MIRROR_ORDER
from tests.made_faces import make_labelled_faces
from train.data.labelled_faces import MARGIN, PADDED, join_labelled
from train.keypoints.device_views import render, to_pool
from train.keypoints.random_views import SHARES, ViewSource
from train.keypoints.residual_network import POINTS


@pytest.fixture
def pool(rng):
    """Faces and negatives, dark except for a bright square at one keypoint."""
    faces = make_labelled_faces(6, rng)
    faces.images[:] = 20
    x, y = np.round(faces.keypoints[0, 10]).astype(int)
    faces.images[:, y - 3 : y + 4, x - 3 : x + 4] = 250
    negatives = make_labelled_faces(2, rng)
    negatives.keypoints[:] = np.nan
    negatives.is_face[:] = False
    return join_labelled([faces, negatives])


def test_labels_follow_the_pixels(pool):
    views = ViewSource(pool).draw(64, np.random.default_rng(0))
    views.occlusion[:, 2:4] = 0
    views.light[:] = (1, 1, 0, 0, 0, 0, 0, 0)
    crops = np.asarray(render(to_pool(pool.images), views, seed=0))[..., 0].astype(float)
    checked = 0
    for crop, target in zip(crops, views.targets, strict=True):
        x, y = target[20:22]
        if np.isfinite(x) and 8 < x < 87 and 8 < y < 87:
            bright = crop > (crop.max() + crop.min()) / 2
            rows, columns = np.nonzero(bright)
            assert np.hypot(columns.mean() - x, rows.mean() - y) < 1.5
            checked += 1
    assert checked > 20


def test_a_mirrored_face_has_left_and_right_exchanged(pool):
    views = ViewSource(pool).draw(200, np.random.default_rng(1))
    points = views.targets[:, :30].reshape(-1, 15, 2)
    known = np.isfinite(points).all(axis=(1, 2))
    left, right = points[known, 0], points[known, MIRROR_ORDER[0]]
    upright = np.abs(left[:, 1] - right[:, 1]) < np.abs(left[:, 0] - right[:, 0])
    assert (left[upright, 0] > right[upright, 0]).all()  # the left eye is on the right


def test_faces_rotated_too_far_and_parts_of_faces_are_negatives_without_points(pool):
    views = ViewSource(pool).draw(2000, np.random.default_rng(2))
    is_face = pool.is_face[views.rows]
    negative = is_face & (views.targets[:, POINTS] == 0)
    assert 0.03 < negative.mean() < 0.2
    assert np.isnan(views.targets[negative, :POINTS]).all()
    assert (views.targets[~is_face, POINTS] == 0).all()


def test_weaker_changes_vary_roll_light_and_occlusion_less_and_the_categories_as_much(pool):
    full, weak = (ViewSource(pool).draw(4000, np.random.default_rng(4), s) for s in (1.0, 0.3))
    for views, gamma_deviation, occluded in ((full, 0.3, 0.3), (weak, 0.09, 0.09)):
        assert np.log(views.light[:, 0]).std() == pytest.approx(gamma_deviation, rel=0.1)
        assert (views.occlusion[:, 2] > 0).mean() == pytest.approx(occluded, rel=0.2)
    is_negative = [(views.targets[:, POINTS] == 0).mean() for views in (full, weak)]
    assert is_negative[0] == pytest.approx(is_negative[1], abs=0.03)


def test_some_photos_end_within_the_crop(pool):
    window = ViewSource(pool).draw(4000, np.random.default_rng(5)).window
    left, top, right, bottom = window.T
    for inset in (left, top, PADDED - 1 - right, PADDED - 1 - bottom):
        assert (inset > 0).mean() == pytest.approx(0.04, rel=0.3)
        assert inset.max() <= MARGIN + 0.25 * 96


def test_the_same_seed_draws_the_same_views(pool):
    first, second = (ViewSource(pool).draw(16, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first.to_padded, second.to_padded)
    np.testing.assert_array_equal(first.targets, second.targets)


def test_points_are_masked_and_the_score_unknown_for_rolls_between_face_and_negative(pool):
    views = ViewSource(pool).draw(4000, np.random.default_rng(5))
    unknown = np.isnan(views.targets[:, POINTS])
    assert 0 < unknown.mean() < 0.02
    linear = views.to_padded[unknown][:, :, :2]
    # The faces of the pool are upright, so the matrix has their roll.
    roll = np.degrees(np.arctan2(linear[:, 1, 0], np.abs(linear[:, 1, 1])))
    assert (np.abs(roll) > 65).all()


def test_categories_are_drawn_with_their_shares(pool):
    _, category = ViewSource(pool)._draw_rows(5000, np.random.default_rng(6))
    present = {name: SHARES[name] for name in ("face", "none", "upside", "part")}
    for name, share in present.items():
        assert (category == name).mean() == pytest.approx(share / sum(present.values()), abs=0.03)
