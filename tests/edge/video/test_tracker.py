from itertools import islice

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("cv2")  # the videos are made with it

from benchmarks.datasets.actors import make_actors
from benchmarks.datasets.synthetic_videos import SCENES, Scene, render
from benchmarks.evaluation.trajectories import Trajectory, jitter, lag, mean_error, share_found
from edge.errors import ImageError
from edge.video.smoothing import Smoothing
from edge.video.tracker import Tracker
from tests.made_models import ERROR90, REPEATED


def _stand_left(_):
    return 180.0, 240.0, 1.0, 0.0


def _stand_right(_):
    return 460.0, 240.0, 1.0, 0.0


GROUND = np.full((48, 64, 3), 96, np.uint8)


@pytest.fixture(scope="module")
def actors():
    return make_actors()


def follow(scene, actors, see):
    """What became of each actor; and how often the detector was asked."""
    followed = [Trajectory() for _ in scene.motions]
    for number, shot in enumerate(render(scene, actors, GROUND)):
        faces = see(shot.image, number / 30)
        for actor, truth in zip(followed, shot.truth, strict=True):
            actor.append(truth, faces)
    return followed


@pytest.mark.parametrize("name", list(SCENES))
def test_each_face_keeps_its_number(name, actors, detect):
    followed = follow(SCENES[name], actors, Tracker(detect))
    # Who is seen after a cut may be someone else: a face keeps its number only by its looks.
    assert sum(one.id_switches for one in followed) == 0
    assert len({number for one in followed for number in one.track_ids}) == len(followed)
    assert share_found(followed) > 0.95
    assert max(lag(one) for one in followed) <= 1.0


def test_a_still_face_is_held_still(actors, detect):
    tracked = follow(SCENES["still"], actors, Tracker(detect))
    single = follow(SCENES["still"], actors, lambda picture, _: detect(picture))
    assert jitter(tracked) < jitter(single) / 4
    assert mean_error(tracked, single) <= mean_error(single, tracked) + 0.05  # px


def test_without_smoothing_points_are_as_seen(actors, detect):
    rough = follow(SCENES["still"], actors, Tracker(detect, smoothing=None))
    smooth = follow(SCENES["still"], actors, Tracker(detect))
    assert jitter(rough) > 2 * jitter(smooth)


def test_the_detector_is_asked_only_now_and_then(actors, detect):
    asked = 0

    class Counting:
        model, min_score, max_faces, points68 = detect.model, detect.min_score, None, False

        def detect_others(self, grey, known):
            nonlocal asked
            asked += 1
            return detect.detect_others(grey, known)

    follow(SCENES["still"], actors, Tracker(Counting(), every=10))
    assert asked == 9  # in 90 frames


@pytest.mark.parametrize("rate", [1, 3, 10, 24, 30000 / 1001, 60, 120])
def test_a_newcomer_is_found_within_a_third_of_a_second_at_any_rate(rate, actors, detect):
    tracker, seen = Tracker(detect), []
    alone, both = Scene((_stand_left,), 8.0), Scene((_stand_left, _stand_right), 8.0)
    without, with_newcomer = (next(render(s, actors, GROUND)).image for s in (alone, both))
    for number in range(round(3 * rate)):
        time = number / rate
        seen.append((time, len(tracker(with_newcomer if time >= 1 else without, time))))
    first = min(time for time, count in seen if count == 2)
    assert 1 <= first <= 1 + 1 / 3 + 1 / rate + 1e-9
    assert all(count == 2 for time, count in seen if time >= first)


@pytest.mark.parametrize("rate", [2, 5, 15, 60])
def test_a_face_keeps_its_number_at_any_rate(rate, actors, detect):
    tracker, numbers = Tracker(detect), set()
    for number, shot in enumerate(render(SCENES["wander"], actors, GROUND)):
        if number % round(30 / min(rate, 30)) == 0:
            faces = tracker(shot.image, number / 30 * (0.5 if rate == 60 else 1))
            numbers.update(face.track_id for face in faces)
    assert numbers == {0}


def test_an_empty_scene_is_searched_ten_times_a_second_from_the_first_frame_on(detect):
    searched = []

    class Counting:
        model, min_score, max_faces, points68 = detect.model, detect.min_score, None, False

        def detect_others(self, grey, known):
            searched.append(time)
            return []

    tracker = Tracker(Counting())
    for time in np.arange(7) / 30:
        assert tracker(GROUND, time) == []
    np.testing.assert_allclose(searched, [0.0, 0.1, 0.2])


def test_a_face_that_stays_away_is_forgotten(actors, detect):
    tracker = Tracker(detect, max_gap=0.5)
    shot = next(render(SCENES["still"], actors, GROUND))
    (first,) = tracker(shot.image, 0.0)
    assert tracker(np.full((480, 640, 3), 96, np.uint8), 0.1) == []
    assert tracker(np.full((480, 640, 3), 96, np.uint8), 2.0) == []
    (later,) = tracker(shot.image, 2.1)
    assert (first.track_id, later.track_id) == (0, 1)


def numbers_between_cuts(images, rate, hold, detect):
    """The numbers that the faces get while each image is shown for `hold` frames."""
    tracker, time = Tracker(detect), iter(np.arange(len(images) * hold) / rate)
    return [
        {face.track_id for _ in range(hold) for face in tracker(image, next(time))}
        for image in images
    ]


@pytest.mark.parametrize(("rate", "hold"), [(30, 30), (30, 5), (2, 2)])
def test_a_number_does_not_pass_to_another_person_at_a_hard_cut(rate, hold, sample, detect):
    from edge.alignment import align
    from edge.image import load_image

    image = load_image(sample)
    (face,) = detect(image)
    one = align(image, face, 256)
    # Its mirror image with dark glasses stands for another person in the same place.
    other = one[:, ::-1].copy()
    other[88:118, 60:196] = 20
    assert len(detect(one)) == len(detect(other)) == 1
    # Who comes back within two seconds gets the same number again.
    assert numbers_between_cuts([one, other, one], rate, hold, detect) == [{0}, {1}, {0}]


@pytest.mark.parametrize("setting", [{"every": 0}, {"max_gap": -1.0}, {"frame_rate": 0.0}])
def test_settings_out_of_range_are_refused(setting, detect):
    with pytest.raises(ValueError, match=next(iter(setting))):
        Tracker(detect, **setting)


@pytest.mark.parametrize("smoothing", [Smoothing(), None])
def test_the_68_points_are_tracked_with_the_keypoints(actors, detect68, smoothing):
    tracker, count = Tracker(detect68, smoothing=smoothing), 0
    for number, shot in enumerate(render(SCENES["walk"], actors, GROUND)):
        for face in tracker(shot.image, number / 30):
            count += 1
            difference = np.abs(face.points68 - face.keypoints[REPEATED]).max()
            # Each of the two sets is smoothed by its own motion.
            assert difference < (2e-3 if smoothing is None else 0.5), number
            np.testing.assert_allclose(face.error90, face.error * ERROR90, rtol=1e-5)
    assert count > 50


def test_a_face_before_a_larger_one_is_tracked_beside_it(detect, sample):
    photo = Image.open(sample)
    poster = Image.new("RGB", (700, 700), "grey")
    poster.paste(
        photo.crop((150, 10, 300, 210)).resize((450, 600), Image.Resampling.BICUBIC), (100, 50)
    )
    head = photo.crop((165, 45, 285, 190)).resize((120, 144), Image.Resampling.BICUBIC)
    track, seen = Tracker(detect, frame_rate=10), []
    for number in range(20):
        frame = poster.copy()
        if number >= 5:  # a face comes to stand before a poster
            frame.paste(head, (140 + number, 350))
        seen.append([(face.track_id, round(float(face.box[2]))) for face in track(frame)])
    assert [len(faces) for faces in seen[:5]] == [1] * 5
    late = seen[12:]
    assert [len(faces) for faces in late] == [2] * len(late)
    assert {tuple(number for number, _ in faces) for faces in late} == {
        (seen[0][0][0], late[0][1][0])
    }
    assert all(width < 110 for _, (_, width) in late)


@pytest.mark.parametrize("time", [np.nan, np.inf, -np.inf, "1 s", [0.0]])
def test_a_time_that_is_no_finite_number_is_said_and_changes_nothing(time, actors, detect):
    tracker = Tracker(detect)
    first, second = (shot.image for shot in islice(render(SCENES["still"], actors, GROUND), 2))
    (before,) = tracker(first, 0.0)
    with pytest.raises(ImageError, match="the time of a frame must be"):
        tracker(second, time)
    (after,) = tracker(second, 1 / 30)
    assert after.track_id == before.track_id


def test_where_time_falls_it_goes_on_and_faces_are_detected_at_once(actors, detect):
    """A film that is played twice; the second time another face is there from the start."""
    tracker = Tracker(detect)
    alone, both = Scene((_stand_left,), 1.0), Scene((_stand_left, _stand_right), 1.0)
    numbers = []
    for scene in (alone, both):
        shots = list(render(scene, actors, GROUND))
        numbers += [
            sorted(face.track_id for face in tracker(shot.image, number / 30))
            for number, shot in enumerate(shots)
        ]
    assert numbers == [[0]] * 30 + [[0, 1]] * 30


@pytest.mark.parametrize(
    "setting", [{"every": np.nan}, {"frame_rate": np.inf}, {"max_gap": np.nan}]
)
def test_settings_are_checked(setting, detect):
    with pytest.raises(ValueError, match="every must be at least 1"):
        Tracker(detect, **setting)


def test_the_68_points_can_be_asked_for_from_frame_to_frame(detect, sample):
    track = Tracker(detect)
    found = []
    for number, wanted in enumerate((False, False, True, True, False)):
        track.points68 = wanted
        (face,) = track(sample, number / 30)
        found.append(face.points68 is not None)
    assert found == [False, False, True, True, False]
