from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge.geometry.eye_frame import PATCH
from tests.made_faces import write_labelled_photos
from train.errors import DataError
from train.eyes.lids import Lids
from train.eyes.views import Eye, degrade, draw_view, read_views


@pytest.fixture
def folder(tmp_path):
    return write_labelled_photos(tmp_path / "sets", 11) / "permissive"


@pytest.fixture
def eye(rng):
    """An eye 40 px wide and 16 px open in the middle of noise."""
    x = np.linspace(0, 40, 9)
    arc = 8 * (1 - ((x - 20) / 20) ** 2)
    upper, lower, crease = (np.column_stack([x + 28, 48 + y]) for y in (-arc, arc, -arc - 6))
    lids = Lids(upper[[0, -1]], np.stack([upper[4], lower[4]]), upper, lower, crease)
    return Eye(
        rng.integers(0, 256, (96, 96)).astype(np.uint8),
        lids,
        np.zeros((PATCH, PATCH), np.uint8),
        0.36,
    )


def test_every_tenth_photo_is_held_out(folder, rng):
    views = read_views(folder, 2, rng)
    assert views.patches.shape == (11 * 2 * 2, PATCH, PATCH)
    assert views.plain.shape == (22, PATCH, PATCH)
    assert views.opening68.shape == (22,)
    assert views.opening.shape == views.target.shape == (44,)
    assert views.is_held_out.tolist() == [i // 4 in (0, 10) for i in range(44)]


def test_the_opening_is_that_of_the_68_points_closed_or_widened(eye, rng):
    values = np.array([draw_view(eye, rng).opening for _ in range(60)]) / eye.opening68
    assert (values == 1).sum() > 10
    assert 0 <= values.min() < 0.15
    assert 1 < values.max() <= 1.3


def test_what_is_learnt_of_small_eyes_is_their_closure_alone(eye, rng):
    views = [draw_view(replace(eye, opening68=0.5), rng) for _ in range(200)]
    ratios = np.array([view.target / view.opening for view in views if view.opening > 0])
    assert ratios.min() == pytest.approx(0.345 / 0.5)
    assert ratios.max() == pytest.approx(1)
    assert 0.05 < ((ratios > 0.7) & (ratios < 0.99)).mean() < 0.6


def test_a_part_of_a_photo_is_compressed_and_not_moved(rng):
    picture = cv2.resize(rng.integers(0, 256, (12, 12)).astype(np.uint8), (96, 96))
    images = [degrade(picture, rng) for _ in range(40)]
    for image, scale in images:
        assert image.shape == (round(96 * scale),) * 2
        expected = cv2.resize(picture, image.shape[::-1], interpolation=cv2.INTER_AREA)
        assert np.corrcoef(image.ravel(), expected.ravel())[0, 1] > 0.8


def test_narrow_eyes_are_not_closed_further(eye, rng):
    narrow = replace(eye, opening68=0.1)
    assert {draw_view(narrow, rng).target for _ in range(20)} == {0.1}


def test_a_malformed_annotation_is_named(folder, rng):
    path = folder / "annotations.jsonl"
    path.write_text(path.read_text().replace('"teacher"', '"pupil"'))
    with pytest.raises(DataError, match="not a valid annotation"):
        read_views(folder, 1, rng)


def test_photos_without_faces_have_no_eyes(folder, rng):
    (folder / "annotations.jsonl").write_text('{"image": "0.png", "faces": []}')
    with pytest.raises(DataError, match="no face has a mesh"):
        read_views(folder, 1, rng)
