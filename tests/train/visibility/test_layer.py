import numpy as np
import pytest

from edge.geometry.face_frame import MEAN_FACE
from train.data.labelled_faces import MARGIN, PADDED
from train.visibility.layer import (
    Layer,
    Scene,
    capsule,
    compose_layer,
    fill,
    hidden_shares,
    rounded,
    strokes,
)


@pytest.fixture
def keypoints():
    return (MEAN_FACE + MARGIN).astype(np.float32)


def square(left, top, right, bottom):
    opacity = np.zeros((PADDED, PADDED), np.float32)
    opacity[top:bottom, left:right] = 1
    return opacity


def test_what_is_below_a_layer_is_hidden(keypoints):
    nose = 10
    x, y = keypoints[nose].round().astype(int)
    opacity = square(x - 4, y - 4, x + 5, y + 5)
    hidden = hidden_shares(Layer(opacity, opacity), keypoints)
    assert hidden.tolist() == [float(k == nose) for k in range(15)]
    assert not hidden_shares(Layer(opacity, opacity, hides=False), keypoints).any()


def test_a_layer_that_is_hardly_opaque_hides_nothing(keypoints):
    everywhere = np.full((PADDED, PADDED), 0.3, np.float32)
    assert not hidden_shares(Layer(everywhere, everywhere), keypoints).any()
    assert hidden_shares(Layer(everywhere + 0.5, everywhere), keypoints).all()


def test_a_layer_is_composited_by_its_opacity(rng):
    image = np.full((PADDED, PADDED), 100, np.uint8)
    grey = np.full((PADDED, PADDED), 200, np.float32)
    half = np.full((PADDED, PADDED), 0.5, np.float32)
    assert (compose_layer(image, Layer(half, grey, hides=False), rng) == 150).all()
    assert (image == 100).all()


def test_a_scene_places_the_mean_face_on_its_keypoints(keypoints):
    image = np.zeros((PADDED, PADDED), np.uint8)
    scene = Scene(image, keypoints * 1.5 - 40, [image], [image])
    np.testing.assert_allclose(scene.place(MEAN_FACE), scene.keypoints, atol=1e-3)
    assert scene.unit == pytest.approx(1.5)


def test_shapes_have_their_area():
    corners = np.array([[50.0, 50.0], [110.0, 50.0], [110.0, 90.0], [50.0, 90.0]])
    assert fill(corners).sum() == pytest.approx(60 * 40, rel=0.06)
    # Each round cuts a triangle of a quarter of both sides off each corner, then smaller ones.
    assert fill(rounded(corners, 1)).sum() == pytest.approx(0.875 * 60 * 40, rel=0.06)
    opacity, distance = capsule(np.array([60.0, 60.0]), np.array([100.0, 60.0]), 10.0)
    assert opacity.sum() == pytest.approx(40 * 20 + np.pi * 100, rel=0.02)
    assert distance[65, 80] == pytest.approx(0.5)
    line = strokes([np.array([[20.0, 20.0], [120.0, 20.0]])], 3.0)
    assert line[20, 60] == 1
    assert not line[30].any()


def test_a_capsule_may_lie_outside():
    opacity, _ = capsule(np.array([-80.0, -80.0]), np.array([-60.0, -70.0]), 5.0)
    assert not opacity.any()
