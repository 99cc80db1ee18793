import base64
import re
from dataclasses import replace

import numpy as np
import pytest

from edge.drawing import draw, show
from edge.errors import ImageError
from edge.face import Face
from edge.image import load_image
from edge.keypoints import KEYPOINT_NAMES

ORANGE, BLUE, GREEN = (230, 159, 0), (86, 180, 233), (0, 158, 115)


def make_face(size):
    """A face whose points lie on a grid in the middle half of a `size` px picture."""
    x, y = np.meshgrid(np.linspace(0.3, 0.7, 5), np.linspace(0.35, 0.65, 3))
    keypoints = np.rint(np.stack([x, y], axis=-1).reshape(15, 2) * size).astype(np.float32)
    box = np.array([0.2, 0.2, 0.6, 0.6], np.float32) * size
    return Face(box, 0.9, keypoints, np.full(15, 0.03 * size, np.float32))


@pytest.mark.parametrize("size", [200, 6000])
@pytest.mark.parametrize("background", [0, 128, 255])
def test_every_point_has_its_colour_and_a_dark_rim(size, background):
    image = np.full((size, size, 3), background, np.uint8)
    face = make_face(size)
    drawn = draw(image, [face])
    assert drawn.shape == image.shape
    for name, (x, y) in zip(KEYPOINT_NAMES, face.keypoints.astype(int), strict=True):
        colour = ORANGE if "left" in name else BLUE if "right" in name else GREEN
        assert tuple(drawn[y, x]) == colour
        radius = max(1.3, 0.014 * 0.6 * size)
        rim = drawn[y, x + round(radius * 1.25)]
        assert rim.max() < 140


def test_the_picture_itself_is_left_alone():
    image = np.full((200, 200, 3), 50, np.uint8)
    draw(image, [make_face(200)], show_names=True, show_error=True)
    assert (image == 50).all()


def test_no_face_draws_nothing():
    image = np.full((20, 30, 3), 50, np.uint8)
    np.testing.assert_array_equal(draw(image, []), image)


def test_with_names_a_videos_frames_have_one_size_with_faces_or_without():
    image = np.zeros((200, 300, 3), np.uint8)
    with_face = draw(image, [make_face(100)], show_names=True)
    assert draw(image, [], show_names=True).shape == with_face.shape


def test_names_enlarge_a_small_picture_by_a_whole_factor():
    image = np.zeros((200, 300, 3), np.uint8)
    assert draw(image, [make_face(200)], show_names=True).shape == (1000, 1500, 3)


def test_the_error_circle_has_the_radius_of_the_error():
    image = np.zeros((1000, 1000, 3), np.uint8)
    face = make_face(1000)
    drawn = draw(image, [face], show_error=True)
    x, y = face.keypoints[7].astype(int)
    assert drawn[y + 30, x].min() > 120  # on the circle
    assert drawn[y + 22, x].max() == 0  # inside it
    assert drawn[y + 40, x].max() == 0  # outside it


def test_a_face_that_leaves_the_picture_can_be_drawn():
    face = make_face(200)
    shifted = face.box - np.array([150, 150, 0, 0], np.float32)
    away = Face(shifted, 0.5, face.keypoints - 150, face.error)
    assert draw(np.zeros((200, 200, 3), np.uint8), [away], show_names=True).any()


def test_the_lines_through_the_68_points_connect_them_in_order():
    points68 = np.full((68, 2), 900, np.float32)
    points68[:17, 0], points68[:17, 1] = np.linspace(100, 420, 17), 50  # jaw: not closed
    points68[36:42] = [[100, 100], [120, 80], [140, 80], [160, 100], [140, 120], [120, 120]]
    face = replace(make_face(1000), points68=points68)
    image = np.zeros((1000, 1000, 3), np.uint8)
    image[:] = 128
    drawn = draw(image, [face], show_points68=True)
    assert (drawn[50, 110:410:20] == 255).all()
    assert (drawn[80, 130] == 255).all()  # between two points of the eye
    assert (drawn[110, 110] == 255).all()  # from its last point back to the first
    assert (drawn[200:900, 50] == 128).all()
    np.testing.assert_array_equal(draw(image, [face]), draw(image, [make_face(1000)]))


def test_a_face_without_68_points_has_no_lines():
    image, face = np.full((200, 200, 3), 50, np.uint8), make_face(200)
    np.testing.assert_array_equal(draw(image, [face], show_points68=True), draw(image, [face]))


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((8, 8), np.uint8), ((8, 8, 4), np.uint8), ((8, 8, 3), np.float32), ((0, 8, 3), np.uint8)],
)
def test_an_image_of_another_form_is_refused(shape, dtype):
    image = np.zeros(shape, dtype)
    with pytest.raises(ImageError, match="cannot use an array as an image"):
        draw(image, [])


@pytest.mark.parametrize("size", [60, 5000])
def test_lines_of_a_small_or_large_face_stay_near_their_points(size):
    points68 = np.full((68, 2), size / 2, np.float32)
    points68[27:31] = np.linspace((0.5, 0.2), (0.5, 0.8), 4) * size  # the bridge of the nose
    face = replace(make_face(size), points68=points68)
    image = np.full((size, size, 3), 128, np.uint8)
    away = np.array([-4, -4, 0, 0], np.float32) * size  # the box and the points are elsewhere
    moved = replace(face, box=face.box + away, keypoints=face.keypoints - 4 * size)
    drawn = draw(image, [moved], show_points68=True)
    middle, reach = size // 2, round(0.04 * size) + 3
    assert drawn[round(0.4 * size), middle - 1 : middle + 2].max() == 255
    changed = (drawn != 128).any(axis=-1)
    assert changed[:, middle - reach : middle + reach].sum() == changed.sum()


def test_lines_that_leave_the_image_can_be_drawn():
    points68 = np.tile(np.float32([[-50, 250], [250, -50]]), (34, 1))
    face = replace(make_face(200), points68=points68)
    assert draw(np.zeros((200, 200, 3), np.uint8), [face], show_points68=True)[100, 100].max() > 0


def test_a_face_far_larger_than_the_image_is_drawn_without_memory_of_its_size():
    centre = np.array([5e6, 5e6], np.float32)
    face = Face(np.array([0, 0, 1e7, 1e7]), 0.9, np.tile(centre, (15, 1)), np.ones(15))
    drawn = draw(np.zeros((40, 60, 3), np.uint8), [face])
    assert drawn.shape == (40, 60, 3)


def test_a_notebook_displays_the_picture_with_its_faces():
    image = np.full((400, 400, 3), (200, 90, 20), np.uint8)
    face = make_face(400)
    picture = show(image, [face])
    np.testing.assert_array_equal(picture.image, draw(image, [face]))
    html = picture._repr_html_()
    (data,) = re.findall('base64,([^"]+)"', html)
    shown = load_image(base64.b64decode(data))
    assert np.abs(shown.astype(int) - picture.image).mean() < 4
    assert "<td>0</td><td>0.90</td><td>80, 80, 240, 240</td><td>12.0</td>" in html
    bgr = show(image[..., ::-1], [face], order="bgr", max_side=200)
    assert bgr.image.shape == (200, 200, 3)
    assert np.abs(bgr.image[5, 5].astype(int) - (200, 90, 20)).max() <= 1


@pytest.mark.parametrize("size", [200, 900])
def test_hidden_points_are_drawn_hollow(size):
    image, face = np.full((size, size, 3), 128, np.uint8), make_face(size)
    visible = np.ones(15, np.float32)
    visible[[0, 10]] = 0.4, 0.1
    drawn, full = draw(image, [face], visible=[visible]), draw(image, [face])
    for k, (x, y) in enumerate(face.keypoints.astype(int)):
        if k in (0, 10):
            assert tuple(drawn[y, x]) == (128, 128, 128)
            near = drawn[y - 6 : y + 7, x - 6 : x + 7].reshape(-1, 3).astype(int)
            colour = ORANGE if k == 0 else GREEN
            assert np.abs(near - colour).sum(axis=1).min() < 60
        else:
            assert tuple(drawn[y, x]) == tuple(full[y, x])


def test_faces_without_probabilities_are_drawn_full():
    image, face = np.zeros((200, 200, 3), np.uint8), make_face(200)
    full = draw(image, [face, face])
    np.testing.assert_array_equal(draw(image, [face, face], visible=[None]), full)
