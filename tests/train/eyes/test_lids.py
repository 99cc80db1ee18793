import numpy as np
import pytest

from train.data.face_mesh import EYES
from train.eyes.lids import CORNERS, MIDDLES, LidLook, Lids, close_eye, lids_of_mesh, opening_68


@pytest.fixture
def lids():
    """Lids of an eye 40 px wide and 16 px open in the middle."""
    x = np.linspace(0, 40, 9)
    arc = 8 * (1 - ((x - 20) / 20) ** 2)
    upper, lower = np.column_stack([x + 10, 32 - arc]), np.column_stack([x + 10, 32 + arc])
    crease = np.column_stack([x + 10, 26 - arc])
    return Lids(upper[[0, -1]], np.stack([upper[4], lower[4]]), upper, lower, crease)


@pytest.fixture
def picture(lids):
    """Grey skin with a black eye between the lids."""
    picture = np.full((64, 64), 180, np.uint8)
    x = np.arange(64)
    top, bottom = (np.interp(x, line[:, 0], line[:, 1]) for line in (lids.upper, lids.lower))
    y = np.arange(64)[:, None]
    picture[(y > top) & (y < bottom) & (x > 10) & (x < 50)] = 0
    return picture


@pytest.mark.parametrize(
    ("eye", "rows"), [(0, (36, 37, 38, 39, 40, 41)), (1, (45, 44, 43, 42, 47, 46))]
)
def test_the_opening_is_the_gap_over_the_width(eye, rows):
    points = np.zeros((68, 2))
    points[list(rows)] = [(0, 0), (15, -8), (25, -8), (40, 0), (25, 8), (15, 8)]
    assert opening_68(points, eye) == pytest.approx(16 / 40)


def test_the_opening_of_the_mesh_is_that_of_the_middles(lids):
    assert lids.opening == pytest.approx(16 / 40)


def test_a_closed_eye_shows_no_eyeball(picture, lids):
    closed = close_eye(picture, lids, 1.0)
    assert (closed < 90).sum() < 0.06 * (picture < 90).sum()
    half = close_eye(picture, lids, 0.5)
    assert (half < 90).sum() == pytest.approx(0.5 * (picture < 90).sum(), rel=0.1)
    # The lower lid hardly moves, the upper one comes down.
    assert half[22:25, 30].min() > 150
    assert half[36, 30] < 30


def test_an_eye_is_opened_wider(picture, lids):
    wide = close_eye(picture, lids, -0.3)
    assert (wide < 90).sum() == pytest.approx(1.3 * (picture < 90).sum(), rel=0.1)
    assert wide[22, 30] < 30
    assert wide[12, 30] > 150


def test_a_closed_lid_is_shaded_above_the_line_of_its_lashes(picture, lids):
    plain = close_eye(picture, lids, 1.0).astype(float)
    drawn = close_eye(picture, lids, 1.0, LidLook(shade=-0.2, lashes=0.5, lash_width=0.05))
    # The lid has come down to row 39 from 24, with its crease from 18 to 24.
    assert drawn[30, 30] / plain[30, 30] == pytest.approx(0.8, abs=0.02)
    assert drawn[37:41, 30].min() < 0.8 * drawn[30, 30]
    np.testing.assert_array_equal(drawn[:15], plain[:15])
    np.testing.assert_array_equal(close_eye(picture, lids, 0.0, LidLook(-0.2, 0.5)), picture)


def test_no_closure_and_the_rest_of_the_face_stay_as_they_are(picture, lids):
    np.testing.assert_array_equal(close_eye(picture, lids, 0.0), picture)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    closed = close_eye(noise, lids, 1.0)
    np.testing.assert_array_equal(closed[:, :10], noise[:, :10])
    np.testing.assert_array_equal(closed[:, 51:], noise[:, 51:])


def test_lids_of_a_mesh_reach_from_corner_to_corner():
    mesh = np.arange(478 * 2, dtype=float).reshape(478, 2)
    for eye in range(2):
        lids = lids_of_mesh(mesh, eye)
        outer, inner = CORNERS[eye]
        np.testing.assert_array_equal(lids.upper[[0, -1]], mesh[[outer, inner]])
        np.testing.assert_array_equal(lids.lower[1:-1], mesh[list(EYES[eye][1])])
        np.testing.assert_array_equal(lids.middles, mesh[list(MIDDLES[eye])])
