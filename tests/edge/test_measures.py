import numpy as np
import pytest

from edge.face import Face
from edge.geometry.affine import transform
from edge.geometry.face_frame import MEAN_FACE
from edge.geometry.head_shape import MEAN_HEAD
from edge.geometry.similarity import similarity
from edge.keypoints import KEYPOINT_NAMES, MIRROR_ORDER
from edge.measures import MEASURES, measure

SYMMETRIC = (MEAN_FACE + (np.array([95, 0]) + MEAN_FACE[list(MIRROR_ORDER)] * [-1, 1])) / 2


def face_of(points, error=1.0):
    return Face(np.array([0, 0, 96, 96], np.float32), 1.0, np.asarray(points, np.float32),
                np.full(15, error, np.float32))  # fmt: skip


def values(points, error=1.0):
    return {name: found.value for name, found in measure(face_of(points, error)).items()}


def test_known_lengths_are_measured():
    points = SYMMETRIC.copy()
    names = {name: i for i, name in enumerate(KEYPOINT_NAMES)}
    points[names["left_eye_outer_corner"]] = [73, 38]
    points[names["right_eye_outer_corner"]] = [23, 38]
    points[names["left_eye_inner_corner"]] = [58, 38]
    points[names["right_eye_inner_corner"]] = [38, 38]
    points[names["mouth_left_corner"]] = [63, 70]
    points[names["mouth_right_corner"]] = [33, 70]
    points[names["mouth_center_top_lip"]] = [48, 70]
    points[names["mouth_center_bottom_lip"]] = [48, 80]
    found = values(points)
    assert found["outer_canthal_px"] == pytest.approx(50)
    assert found["intercanthal"] == pytest.approx(0.4)
    assert (found["eye_width_left"], found["eye_width_right"]) == pytest.approx((0.3, 0.3))
    assert found["mouth_width"] == pytest.approx(0.6)
    assert found["mouth_opening"] == pytest.approx(0.2)
    assert found["smile"] == pytest.approx(0.1)  # the corners lie 5 px above the lips' middle
    assert list(found) == list(MEASURES)


def test_size_place_and_tilt_change_nothing_but_roll_and_pixels():
    before = values(SYMMETRIC)
    moved = transform(similarity(3.0, 20.0, (0.0, 0.0), (500.0, 40.0)), SYMMETRIC)
    after = values(moved, error=3.0)
    assert after["roll_deg"] - before["roll_deg"] == pytest.approx(20, abs=1e-3)
    assert after["interpupillary_px"] == pytest.approx(3 * before["interpupillary_px"])
    for name in set(MEASURES) - {"roll_deg", "interpupillary_px", "outer_canthal_px"}:
        assert after[name] == pytest.approx(before[name], abs=2e-3), name


def test_a_mirrored_face_has_its_sides_changed():
    points = MEAN_FACE + np.random.default_rng(1).normal(0, 2, MEAN_FACE.shape)
    mirrored = points[list(MIRROR_ORDER)] * [-1, 1] + [95, 0]
    before, after = values(points), values(mirrored)
    for name in ("yaw_deg", "roll_deg"):
        assert after[name] == pytest.approx(-before[name], abs=1e-3)
    for name in ("brow_raise", "eye_width"):
        assert after[f"{name}_left"] == pytest.approx(before[f"{name}_right"], abs=1e-5)
    for name in ("asymmetry", "pitch_deg", "smile", "mouth_opening"):
        assert after[name] == pytest.approx(before[name], abs=1e-4)


def test_a_symmetric_face_has_no_asymmetry_and_a_raised_brow_shows():
    assert values(SYMMETRIC)["asymmetry"] == pytest.approx(0, abs=1e-6)
    raised = SYMMETRIC.copy()
    for end in ("inner", "outer"):
        raised[KEYPOINT_NAMES.index(f"left_eyebrow_{end}_end"), 1] -= 5
    before, after = values(SYMMETRIC), values(raised)
    span = before["outer_canthal_px"]
    assert after["brow_raise_left"] - before["brow_raise_left"] == pytest.approx(5 / span)
    assert after["brow_raise_right"] == pytest.approx(before["brow_raise_right"])
    assert after["asymmetry"] > 0.01


def turned(yaw, pitch=0.0, distance=np.inf):
    """The mean head from a camera at a distance in cm, `(15, 2)` px, 10 px per cm."""
    y, p = np.radians([-yaw, -pitch])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    head = MEAN_HEAD @ (about_y @ about_x).T
    return 10 * head[:, :2] / (1 + head[:, 2:] / distance)


def test_a_head_that_is_turned_to_the_front_first_has_its_frontal_measures():
    ahead = measure(face_of(turned(0), error=0.1))
    beside = measure(face_of(turned(40, 10), error=0.1))
    frontal = measure(face_of(turned(40, 10), error=0.1), frontal=True)
    for name in MEASURES[3:-1]:
        expected = pytest.approx(ahead[name].value, rel=1e-3, abs=1e-3)
        assert frontal[name].value == expected, name
    # cos 40° is 0.77, and the mouth lies before the eyes, so that perspective would not help.
    assert beside["outer_canthal_px"].value < 0.8 * ahead["outer_canthal_px"].value
    assert beside["asymmetry"].value > 0.01
    assert frontal["asymmetry"].value == 0
    assert frontal["asymmetry"].error < 0.01
    for name in MEASURES[:3]:
        assert frontal[name] == beside[name]


def test_depths_that_are_not_seen_make_frontal_measures_of_turned_heads_less_certain():
    errors = {}
    for yaw in (0, 20, 40):
        found = measure(face_of(turned(yaw), error=0.1), frontal=True)
        errors[yaw] = found["mouth_width"].error
    assert errors[0] < errors[20] < errors[40]


def test_perspective_needs_the_size_of_the_image():
    face = face_of(turned(0, 20, distance=30.0), error=0.1)
    known = measure(face, image_size=(1, 1), focal_px=300.0)["pitch_deg"]
    assumed = measure(face, image_size=(200, 150))["pitch_deg"]  # 300 px, and what it may be off by
    assert known.value == pytest.approx(20, abs=0.1)
    assert assumed.value == pytest.approx(20, abs=0.3)
    assert assumed.error > known.error
    for options in ({"focal_px": 300.0}, {"image_size": (2, 2), "focal_px": 0.0}):
        with pytest.raises(ValueError, match="focal_px must be above 0 and come with image_size"):
            measure(face, **options)


def test_a_smile_is_not_taken_for_a_bowed_head():
    points = turned(0)
    names = {name: i for i, name in enumerate(KEYPOINT_NAMES)}
    for name, (x, y) in {
        "mouth_left_corner": (7, -10),
        "mouth_right_corner": (-7, -10),
        "mouth_center_top_lip": (0, -3),
        "mouth_center_bottom_lip": (0, -4),
    }.items():
        points[names[name]] += (x, y)  # fmt: skip
    assert abs(values(points)["pitch_deg"]) < 2


def test_half_of_the_measurements_are_off_by_no_more_than_the_expected_error():
    rng = np.random.default_rng(3)
    true = measure(face_of(SYMMETRIC, error=0.8))
    noise = rng.normal(0, 0.8 / 1.1774, size=(3000, 15, 2))
    found = [measure(face_of(SYMMETRIC + some, error=0.8)) for some in noise]
    # The error of a pose includes how much heads differ; asymmetry cannot be below this face's 0.
    for name in MEASURES[3:-1]:
        apart = np.array([abs(one[name].value - true[name].value) for one in found])
        assert (apart <= true[name].error).mean() == pytest.approx(0.5, abs=0.05), name


def test_points_that_span_no_face_measure_nothing():
    assert measure(face_of(np.full((15, 2), 7.0))) == {}
    assert measure(face_of(np.full((15, 2), np.nan))) == {}


@pytest.mark.parametrize("size", [(0, 0), (512, 512, 3), (640, -1)])
def test_an_image_size_that_is_none_is_refused(size):
    with pytest.raises(ValueError, match="image_size must be a width and a height"):
        measure(face_of(MEAN_FACE), image_size=size)
