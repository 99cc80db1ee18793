import numpy as np
import pytest

from edge.face import Face
from edge.geometry.affine import crop_matrix, invert, transform
from edge.geometry.face_frame import CROP, MEAN_FACE, square_of_box
from edge.video.cover import Cover

ROOM = np.kron(np.arange(48).reshape(6, 8, 1) * 5, np.ones((60, 60, 3))).astype(np.uint8)


def face_at(x, y=200.0, width=80.0, score=0.9):
    """An upright face whose box has its centre at `x`, `y`."""
    box = np.array([x - width / 2, y - width * 0.6, width, width * 1.2], np.float32)
    points = transform(invert(crop_matrix(square_of_box(box), CROP)), MEAN_FACE)
    return Face(box, score, points.astype(np.float32), np.ones(15, np.float32))


def covered(finds, rate=10, seconds=4.0, images=None):
    """The centres of what is hidden in each frame of a video, by the frame's number.

    `finds` gives the faces found, by the frame's number.
    """
    cover, count = Cover(0.5), round(rate * seconds)
    for number in range(count):
        image = ROOM if images is None else images[number]
        cover.add(image, number / rate, finds.get(number, []))
    hidden = {}
    for number in range(count):
        faces = cover.at(number / rate)
        hidden[number] = sorted({round(float(face.box[0] + face.box[2] / 2)) for face in faces})
    return hidden


def test_a_face_is_hidden_where_it_is_found_and_a_second_before_and_after():
    hidden = covered({20: [face_at(300)]})
    assert [number for number, centres in hidden.items() if centres] == list(range(10, 31))
    assert all(centres == [300] for centres in hidden.values() if centres)


def test_what_is_never_certain_is_hidden_for_a_quarter_of_a_second():
    hidden = covered({20: [face_at(300, score=0.3)]})
    assert [number for number, centres in hidden.items() if centres] == [18, 19, 20, 21, 22]


def test_between_two_finds_a_face_is_hidden_on_its_way():
    hidden = covered({10: [face_at(300)], 15: [face_at(350)]})
    assert [hidden[number] for number in range(10, 16)] == [[x] for x in range(300, 351, 10)]


def test_a_face_that_moves_is_hidden_where_its_motion_leads_and_on_the_way_there():
    finds = {number: [face_at(100 + 20 * number)] for number in range(15, 21)}  # 200 px a second
    hidden = covered(finds)
    assert (hidden[25][0], hidden[25][-1]) == (500, 600)  # half a second after the last find
    assert (hidden[12][0], hidden[12][-1]) == (340, 400)  # 0.3 s before the first
    for centres in (hidden[25], hidden[12]):
        assert max(np.diff(centres)) <= 0.4 * 80 + 1  # so that no gap is left


def test_the_longer_a_face_is_lost_the_wider_it_is_hidden():
    cover = Cover(0.5)
    cover.add(ROOM, 0.0, [face_at(300)])
    for time in (0.5, 1.0):
        cover.add(ROOM, time, [])
    widths = [float(cover.at(time)[0].box[2]) for time in (0.0, 0.5, 1.0)]
    assert widths == pytest.approx([80, 80 * 1.3, 80 * 1.6], rel=1e-5)


def test_two_faces_that_cross_are_both_hidden_in_every_frame():
    finds = {
        number: [face_at(100 + 20 * number), face_at(500 - 20 * number, y=210)]
        for number in range(21)
        if number not in (9, 10, 11)  # where one is in front of the other
    }
    hidden = covered(finds, seconds=2.1)
    for number in (9, 10, 11):
        ways = hidden[number]
        assert min(abs(x - (100 + 20 * number)) for x in ways) <= 20
        assert min(abs(x - (500 - 20 * number)) for x in ways) <= 20


def test_frames_of_one_time_are_hidden_alike():
    cover = Cover(0.5)
    for faces in ([face_at(300)], []):
        cover.add(ROOM, 0.0, faces)
    assert len(cover.at(0.0)) == len(cover.at(0.0)) == 2  # by its keypoints and by its box


def test_nothing_is_hidden_beyond_a_cut():
    images = [ROOM] * 15 + [255 - ROOM] * 25
    hidden = covered({14: [face_at(300)], 16: [face_at(100)]}, images=images)
    assert (hidden[14], hidden[15], hidden[16]) == ([300], [100], [100])


def test_a_find_is_hidden_by_its_box_too_as_weak_keypoints_may_lie_anywhere():
    face = face_at(300, score=0.3)
    astray = Face(face.box, face.score, face.keypoints + np.float32(100), face.error)
    cover = Cover(0.5)
    cover.add(ROOM, 0.0, [astray])
    centres = [face.keypoints.mean(axis=0) for face in cover.at(0.0)]
    np.testing.assert_allclose(centres[0] - centres[1], [100, 100], atol=0.01)
