import pytest

from edge.geometry.eye_frame import PATCH
from tests.made_faces import write_labelled_photos
from train.errors import DataError
from train.eyes.views import draw_view, enumerate_eyes, read_views


@pytest.fixture
def folder(tmp_path):
    return write_labelled_photos(tmp_path / "sets", 11) / "permissive"


def test_every_tenth_photo_is_held_out(folder, rng):
    views = read_views(folder, 2, rng)
    assert views.patches.shape == (11 * 2 * 2, PATCH, PATCH)
    assert views.plain.shape == (22, PATCH, PATCH)
    assert views.opening68.shape == (22,)
    assert views.is_held_out.tolist() == [i // 4 in (0, 10) for i in range(44)]


def test_the_opening_is_at_most_that_of_the_photo(folder, rng):
    for _, eye in enumerate_eyes(folder):
        values = [draw_view(eye, rng)[1] for _ in range(5)]
        assert max(values) <= eye.lids.opening + 1e-9
        assert min(values) >= 0


def test_a_malformed_annotation_is_named(folder, rng):
    path = folder / "annotations.jsonl"
    path.write_text(path.read_text().replace('"teacher"', '"pupil"'))
    with pytest.raises(DataError, match="not a valid annotation"):
        read_views(folder, 1, rng)


def test_photos_without_faces_have_no_eyes(folder, rng):
    (folder / "annotations.jsonl").write_text('{"image": "0.png", "faces": []}')
    with pytest.raises(DataError, match="no face has a mesh"):
        read_views(folder, 1, rng)
