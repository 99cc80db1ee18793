import numpy as np
import pytest

from edge.geometry.affine import matrix_from_complex, rotation_deg, scale_of, transform
from edge.geometry.face_frame import MEAN_FACE
from edge.video.appearance import look_of, template_of
from edge.video.track import (
    Match,
    Motion,
    Track,
    check_intervals,
    compare,
    compare_duplicates,
    compare_if_due,
    is_in_place,
    is_near,
    is_reidentified,
)
from tests.edge.video.observations import observed, placed


def tracked(points, number=0, template=None):
    template = np.zeros((48, 48), np.float32) if template is None else template
    return Track(number, observed(points), template, None, 0.0, Motion(), 0.0)


@pytest.mark.parametrize(
    ("other", "thirtieths"),
    [
        (placed(x=1000), [4, 4]),
        (placed(x=500), [2, 2]),  # nearer than two widths
        (placed(x=350), [0, 0]),  # boxes that touch
        (placed(x=355, y=340), [0, 0]),  # at a corner
        (placed(x=420, scale=1.0), [2, 2]),  # two widths of the wider one
        (placed(x=290, scale=0.5), [0, 0]),
    ],
)
def test_faces_are_compared_the_more_often_the_nearer_they_are(other, thirtieths):
    assert check_intervals([tracked(placed())]) == [4 / 30]
    assert check_intervals([tracked(placed()), tracked(other)]) == [n / 30 for n in thirtieths]


def test_an_assumed_match_that_overlaps_another_is_compared(rng):
    crop = rng.integers(0, 256, (96, 96)).astype(np.uint8)
    face = observed(MEAN_FACE, crop)
    own, stranger = tracked(MEAN_FACE, 0, template_of(face)), tracked(placed(), 1)
    assumed = Match(stranger, face, None, 1.0)
    compared = Match(own, face, template_of(face), 0.99)
    assert compare_duplicates([assumed], 0.5) == [assumed]
    first, second = compare_duplicates([assumed, compared], 0.5)
    assert first.similarity == 0.0
    assert second is compared


def test_a_crop_is_rotated_above_15_degrees_of_roll_until_it_falls_below_10():
    track = tracked(placed())
    turned = []
    for angle in (0, 13, 16, 13, 9, 13, -13, -16, -13):
        track.face = observed(placed(angle=angle))
        matrix = matrix_from_complex(*track.crop_of(track.predicted_pose(0.0), 96))
        # Either way the face lies in its crop's middle, at the mean face's size.
        np.testing.assert_allclose(transform(matrix, [(200, 150)]), [(47.5, 47.5)], atol=1e-6)
        assert scale_of(matrix) == pytest.approx(0.5)
        turned.append(round(rotation_deg(matrix)))
    assert turned == [0, 0, -16, -13, 0, 0, 0, 16, 13]


def test_motion_predicts_with_velocity_and_its_change():
    seconds = 0.093 * np.log(2)  # in which the mean goes half of the way
    motion = Motion().updated(10 + 0j, seconds)
    motion = motion.updated(14 - 2j, seconds)
    # 14 + (14 − 10) and −2 + (−2 − 0) px a second, for a fifth of a second.
    assert motion.displacement(0.2) == pytest.approx(3.6 - 0.8j)
    assert motion.mean_velocity == pytest.approx(5 / 2 + 14 / 2 - 1j)


def test_after_a_longer_time_a_motion_says_nothing():
    assert Motion().updated(100 + 0j, 1.0).displacement(1.0) == 0


def test_between_comparisons_the_match_is_assumed(rng):
    face = observed(MEAN_FACE, rng.integers(0, 256, (96, 96)).astype(np.uint8))
    track = tracked(MEAN_FACE, 0, template_of(face))
    track.look = look_of(face)
    track.note_jump(face, [])
    assert compare_if_due(face, track, 0.1, 4 / 30).template is None
    match = compare_if_due(face, track, 0.133, 4 / 30)  # as a file rounds it to milliseconds
    assert match.similarity == pytest.approx(1, abs=1e-5)
    track.update(match, 0.133)
    assert (track.compared, track.time, track.lost) == (0.133, 0.133, False)


def test_where_the_look_jumps_the_template_decides_at_once(rng):
    before, after = (
        observed(MEAN_FACE, rng.integers(0, 256, (96, 96)).astype(np.uint8)) for _ in range(2)
    )
    track = tracked(MEAN_FACE, 0, template_of(before))
    track.look = look_of(before)
    track.note_jump(after, [before])
    assert not track.jumped
    track.note_jump(after, [])
    match = compare_if_due(after, track, 0.03, 4 / 30)
    assert match.similarity == pytest.approx(0, abs=0.1)
    assert not match.is_plausible
    for similarity_, jumped, expected in (
        (0.5, False, True),
        (0.5, True, False),
        (0.6, True, True),
    ):
        track.jumped = jumped
        assert Match(track, after, None, similarity_).is_plausible is expected
        # Where it is counts for nothing after a jump.
        assert is_reidentified(Match(track, after, None, similarity_), 0.1) is expected


def test_a_face_is_near_within_half_a_side_and_half_its_size():
    track = tracked(placed())  # a square of 192 px
    for face, near in (
        (placed(x=295), True),
        (placed(x=297), False),
        (placed(scale=2.9), True),
        (placed(scale=3.1), False),
        (placed(scale=1.3), False),
    ):
        assert is_near(track, observed(face), 0.0) == near


def test_a_lost_face_is_reidentified_by_appearance_or_by_position_and_plausible_appearance():
    track = tracked(placed())

    def match(similarity_, x=200.0):
        face = observed(placed(x=x))
        return Match(track, face, None, similarity_)

    assert is_reidentified(match(0.6, x=2000.0), 1.0)
    assert is_reidentified(match(0.45), 1.0)
    assert not is_reidentified(match(0.44), 1.0)
    assert not is_reidentified(match(0.59, x=2000.0), 1.0)
    assert is_in_place(match(0.0, x=400.0), 1.0)  # the box is 203.5 px high
    assert not is_in_place(match(0.0, x=404.0), 1.0)


def test_faces_whose_keypoints_coincide_match_nothing():
    assert compare(observed(np.full((15, 2), 3.0)), tracked(placed())) is None
