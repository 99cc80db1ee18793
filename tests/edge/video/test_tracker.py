import numpy as np
import pytest

pytest.importorskip("cv2")  # the videos are made with it

from benchmarks.datasets.synthetic_videos import SCENES, play
from benchmarks.tracking import Followed, _error, _note, _share_seen, _unrest, lag, make_actors
from edge.geometry.affine import crop_matrix, rotation_deg, scale_of, transform
from edge.geometry.face_frame import MEAN_FACE
from edge.geometry.similarity import similarity
from edge.refinement import FacePass
from edge.video.track import (
    Match,
    Motion,
    Track,
    check_intervals,
    compare_duplicates,
    template_of,
)
from edge.video.tracker import Tracker

GROUND = np.full((48, 64, 3), 96, np.uint8)


@pytest.fixture(scope="module")
def actors():
    return make_actors()


def follow(scene, actors, see):
    """What became of each actor; and how often the detector was asked."""
    followed = [Followed() for _ in scene.motions]
    for number, shot in enumerate(play(scene, actors, GROUND)):
        faces = see(shot.picture, number / 30)
        for actor, truth in zip(followed, shot.truth, strict=True):
            _note(actor, truth, faces)
    return followed


@pytest.mark.parametrize("name", list(SCENES))
def test_each_face_keeps_its_number(name, actors, detect):
    followed = follow(SCENES[name], actors, Tracker(detect))
    # Who is seen after a cut may be someone else: a face keeps its number only by its looks.
    assert sum(one.switches for one in followed) == 0
    assert len({number for one in followed for number in one.numbers}) == len(followed)
    assert _share_seen(followed) > 0.95
    assert max(lag(one) for one in followed) <= 1.0


def test_a_still_face_is_held_still(actors, detect):
    tracked = follow(SCENES["still"], actors, Tracker(detect))
    single = follow(SCENES["still"], actors, lambda picture, _: detect(picture))
    assert _unrest(tracked) < _unrest(single) / 4
    assert _error(tracked, single) <= _error(single, tracked)


def test_without_smoothing_points_are_as_seen(actors, detect):
    rough = follow(SCENES["still"], actors, Tracker(detect, smoothing=None))
    smooth = follow(SCENES["still"], actors, Tracker(detect))
    assert _unrest(rough) > 2 * _unrest(smooth)


def test_the_detector_is_asked_only_now_and_then(actors, detect):
    asked = 0

    class Counting:
        model, min_score, max_faces = detect.model, detect.min_score, None

        def detect_others(self, grey, known):
            nonlocal asked
            asked += 1
            return detect.detect_others(grey, known)

    follow(SCENES["still"], actors, Tracker(Counting(), every=10))
    assert asked == 9  # in 90 frames


def test_an_empty_scene_is_searched_ten_times_a_second_from_the_first_frame_on(detect):
    searched = []

    class Counting:
        model, min_score, max_faces = detect.model, detect.min_score, None

        def detect_others(self, grey, known):
            searched.append(time)
            return []

    tracker = Tracker(Counting())
    for time in np.arange(7) / 30:
        assert tracker(GROUND, time) == []
    np.testing.assert_allclose(searched, [0.0, 0.1, 0.2])


def test_a_face_that_stays_away_is_forgotten(actors, detect):
    tracker = Tracker(detect, max_gap=0.5)
    shot = next(play(SCENES["still"], actors, GROUND))
    (first,) = tracker(shot.picture, 0.0)
    assert tracker(np.full((480, 640, 3), 96, np.uint8), 0.1) == []
    assert tracker(np.full((480, 640, 3), 96, np.uint8), 2.0) == []
    (later,) = tracker(shot.picture, 2.1)
    assert (first.track_id, later.track_id) == (0, 1)


@pytest.mark.parametrize("setting", [{"every": 0}, {"max_gap": -1.0}, {"frame_rate": 0.0}])
def test_settings_out_of_range_are_refused(setting, detect):
    with pytest.raises(ValueError, match=next(iter(setting))):
        Tracker(detect, **setting)


def placed(x=200.0, y=150.0, scale=2.0, angle=0.0):
    """Keypoints of a face whose square is 96 · `scale` px wide."""
    return transform(similarity(scale, angle, (47.5, 47.5), (x, y)), MEAN_FACE)


def face_pass(points, crop=None):
    crop = np.zeros((96, 96), np.uint8) if crop is None else crop
    return FacePass(points, np.ones(15, np.float32), 1.0, crop, crop_matrix((0, 0, 96, 96), 96))


def tracked(points, number=0, template=None):
    template = np.zeros((48, 48), np.float32) if template is None else template
    return Track(number, face_pass(points), template, None, 0.0, Motion())


@pytest.mark.parametrize(
    ("other", "frames"),
    [
        (placed(x=1000), [4, 4]),
        (placed(x=500), [2, 2]),  # nearer than two widths
        (placed(x=350), [1, 1]),  # boxes that touch
        (placed(x=355, y=340), [1, 1]),  # at a corner
        (placed(x=420, scale=1.0), [2, 2]),  # two widths of the wider one
        (placed(x=290, scale=0.5), [1, 1]),
    ],
)
def test_faces_are_compared_the_more_often_the_nearer_they_are(other, frames):
    assert check_intervals([tracked(placed())]) == [4]
    assert check_intervals([tracked(placed()), tracked(other)]) == frames


def test_of_two_tracks_at_one_face_neither_is_assumed_without_a_comparison(rng):
    crop = rng.integers(0, 256, (96, 96)).astype(np.uint8)
    face = face_pass(MEAN_FACE, crop)
    own, stranger = tracked(MEAN_FACE, 0, template_of(face)), tracked(placed(), 1)
    assumed = Match(stranger, face, None, 1.0, face.box)
    compared = Match(own, face, template_of(face), 0.99, face.box)
    assert compare_duplicates([assumed], 0.5) == [assumed]
    first, second = compare_duplicates([assumed, compared], 0.5)
    assert first.similarity == 0.0
    assert second is compared


def test_a_face_is_turned_upright_from_a_tilt_of_15_degrees_until_it_is_below_ten():
    track = tracked(placed())
    turned = []
    for angle in (0, 13, 16, 13, 9, 13, -13, -16, -13):
        track.face = face_pass(placed(angle=angle))
        pose = track.predicted_pose(0.0)
        track.update_rotation(pose)
        matrix = track.crop_of(pose, 96)
        # Either way the face lies in its crop's middle, at the mean face's size.
        np.testing.assert_allclose(transform(matrix, [(200, 150)]), [(47.5, 47.5)], atol=1e-6)
        assert scale_of(matrix) == pytest.approx(0.5)
        turned.append(round(rotation_deg(matrix)))
    assert turned == [0, 0, -16, -13, 0, 0, 0, 16, 13]
