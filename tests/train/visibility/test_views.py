import numpy as np
import pytest

from edge.geometry.face_frame import MEAN_FACE
from edge.keypoints import MIRROR_ORDER
from edge.networks.visibility_model import SIDE
from train.data.labelled_faces import MARGIN, PADDED
from train.visibility.faces import BareFace
from train.visibility.network import UNKNOWN
from train.visibility.occluders import DISTRACTIONS, OCCLUDERS
from train.visibility.views import Pictures, cover, draw_kinds, draw_views, frame

NOTHING_KNOWN = np.full(15, UNKNOWN, np.float32)
SEEN = np.ones(15, np.float32)


@pytest.fixture
def pictures(rng):
    pixels = [rng.integers(0, 256, (PADDED, PADDED)).astype(np.uint8) for _ in range(2)]
    return Pictures(pixels, pixels)


def bare(seen=SEEN, kind="photo"):
    image = np.full((PADDED, PADDED), 130, np.uint8)
    return BareFace(kind, image, (MEAN_FACE + MARGIN).astype(np.float32), seen, False)


def test_what_was_unknown_is_known_only_where_it_is_covered():
    hidden = np.zeros(15, np.float32)
    hidden[:3] = (1, 0.5, 0)
    assert cover(SEEN, hidden)[:3].tolist() == [0, 0.5, 1]
    assert cover(NOTHING_KNOWN, hidden)[:3].tolist() == [0, UNKNOWN, UNKNOWN]
    assert not cover(np.zeros(15, np.float32), hidden).any()


def test_views_are_two_of_each_cover(pictures, rng):
    views = draw_views([bare(), bare(kind="turned")], pictures, {"photo": 3, "turned": 1}, rng)
    assert len(views) == 8
    assert views.crops.shape == (8, SIDE, SIDE)
    assert views.crops.dtype == np.uint8
    assert ((views.seen >= 0) & (views.seen <= 1)).all()
    assert set(views.kinds.tolist()) <= {"photo", "turned", *OCCLUDERS, *DISTRACTIONS}


def test_no_faces_give_no_views(pictures, rng):
    views = draw_views([], pictures, {}, rng)
    assert views.crops.shape == (0, SIDE, SIDE)
    assert views.seen.shape == (0, 15)


def test_a_mirrored_view_has_the_labels_of_the_other_side(rng):
    seen = np.arange(15, dtype=np.float32)
    found = {tuple(frame(bare(seen), rng)[1].tolist()) for _ in range(30)}
    assert found == {tuple(seen.tolist()), tuple(seen[list(MIRROR_ORDER)].tolist())}


def test_photos_are_covered_more_often_than_what_hides_itself(rng):
    counts = {
        kind: sum(any(k in OCCLUDERS for k in draw_kinds(kind, rng)) for _ in range(500)) / 500
        for kind in ("photo", "turned")
    }
    assert counts["photo"] == pytest.approx(0.6, abs=0.07)
    assert counts["turned"] == pytest.approx(0.4, abs=0.07)
