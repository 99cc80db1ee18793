import numpy as np
import pytest

from edge.geometry.face_frame import MEAN_FACE
from tests.made_faces import made_mesh
from train.data.head_turns import HeadTurner, Turn, random_turn, turn_faces
from train.data.labelled_faces import MARGIN, PADDED, LabelledFaces

UPPER_LID, LOWER_LID = 159, 145  # of the right eye


@pytest.fixture
def face(rng):
    mesh = made_mesh(rng)
    mesh[:, :2] += (PADDED - 1) / 2
    points68 = mesh[np.linspace(0, 467, 68).astype(int), :2]
    faces = LabelledFaces(
        np.full((1, PADDED, PADDED), 120, np.uint8),
        (MEAN_FACE + MARGIN)[None].astype(np.float32),
        points68[None].astype(np.float32),
        np.zeros(1, np.float32),
        np.ones(1, bool),
        np.zeros(1, bool),
        np.array(["someone"]),
        np.array(["set"]),
    )
    return faces, mesh[None].astype(np.float32)


def test_a_turn_of_zero_changes_nothing(face):
    faces, mesh = face
    same = HeadTurner(faces, mesh)(0, Turn(0.0, 0.0))
    np.testing.assert_allclose(same.keypoints, faces.keypoints, atol=0.1)
    visible = np.isfinite(same.points68)
    np.testing.assert_allclose(same.points68[visible], faces.points68[visible], atol=0.1)
    assert same.turned.tolist() == [True]
    assert same.groups.tolist() == ["someone"]
    assert (same.images == 120).mean() > 0.99


def test_a_yaw_keeps_the_height_of_points_in_the_face(face):
    faces, mesh = face
    turner = HeadTurner(faces, mesh)
    scaled = turner.scaled_mesh(0)
    _, points68 = turner._move(0, scaled, Turn(30.0, 0.0))
    np.testing.assert_allclose(points68[:, 1], faces.points68[0, :, 1], atol=1e-4)
    depth = (scaled[turner._nearest, 2] * turner._weights).sum(axis=1)
    nearest, farthest = depth.argmin(), depth.argmax()
    shift = points68[:, 0] - faces.points68[0, :, 0]
    assert shift[nearest] < shift[farthest]


def test_the_mean_face_has_no_yaw(face):
    faces, mesh = face
    assert HeadTurner(faces, mesh).yaw_deg(0) == pytest.approx(0.0, abs=1e-6)


def test_closed_lids_meet(face):
    faces, mesh = face
    turner = HeadTurner(faces, mesh)
    solid = mesh[0, :468].astype(float)
    moved = solid + turner._close_eyes(solid, (1.0, 0.0))
    before = solid[LOWER_LID, 1] - solid[UPPER_LID, 1]
    assert moved[LOWER_LID, 1] - moved[UPPER_LID, 1] == pytest.approx(0.02 * before, abs=1e-9)


def test_an_opened_mouth_has_a_gap_of_the_jaw_opening(face):
    faces, mesh = face
    turner = HeadTurner(faces, mesh)
    solid = mesh[0, :468].astype(float)
    moved = turner._open_mouth(solid, 0.5)
    np.testing.assert_allclose(moved[13], 0, atol=1e-9)  # upper lip
    np.testing.assert_allclose(moved[14], (0, 0.5 * 24, 0), atol=1e-3)  # lower lip, mouth 24 px


def test_an_opened_mouth_is_filled_with_its_grey_value(face):
    faces, mesh = face
    opened = HeadTurner(faces, mesh)(0, Turn(0.0, 0.0, jaw_opening=0.7, mouth_grey=10.0))
    assert opened.images.min() == 10


def test_a_rotated_face_is_rotated_further(rng):
    assert all(random_turn(20.0, rng).yaw_deg >= 0 for _ in range(50))
    assert all(random_turn(-20.0, rng).yaw_deg <= 0 for _ in range(50))


def test_each_face_is_rendered_once(face, rng):
    turned = turn_faces(HeadTurner(*face), rng)
    assert len(turned) <= 1
    assert turned.turned.all()
