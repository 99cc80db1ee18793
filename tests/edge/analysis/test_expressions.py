from dataclasses import replace

import numpy as np
import pytest

import edge
from edge.analysis import expressions
from edge.analysis.assessment import Assessment, Assessor
from edge.analysis.expression_frame import USED
from edge.errors import ModelError
from edge.face import Face
from edge.image import load_image
from tests.conftest import SAMPLE


@pytest.fixture(scope="module")
def tell():
    return edge.Expressions()


def face_of(points, track_id=None):
    keypoints, error = np.zeros((15, 2), np.float32), np.ones(15, np.float32)
    box = np.zeros(4, np.float32)
    return Face(box, 0.9, keypoints, error, track_id, np.asarray(points, np.float32))


@pytest.fixture(scope="module")
def neutral(tell):
    """The mean neutral face, 100 px from one outer eye corner to the other."""
    points = np.zeros((68, 2))
    points[list(USED)] = 100 * tell._reference
    return points + 300


def opened(points, px):
    """With the lower lip and the chin lower."""
    moved = points.copy()
    moved[[8, *range(55, 60), 65, 66, 67], 1] += px
    return moved


def smiling(points, px):
    """With the corners of the mouth farther out and higher."""
    moved = points.copy()
    moved[[48, 60]] += (-px, -px)
    moved[[54, 64]] += (px, -px)
    moved[[49, 59]] += (-px / 2, -px / 2)
    moved[[53, 55]] += (px / 2, -px / 2)
    return moved


def test_a_face_at_rest_has_no_expression(tell, neutral):
    assert max(tell(face_of(neutral)).values()) < 0.1


def test_what_moves_is_named(tell, neutral):
    jaw = [tell(face_of(opened(neutral, px)))["jaw_open"] for px in (0, 15, 30)]
    assert jaw[0] + 0.15 < jaw[1] < jaw[2] - 0.15
    smile = [tell(face_of(smiling(neutral, px)))["smile"] for px in (0, 4, 8)]
    assert smile[0] + 0.15 < smile[1] < smile[2] - 0.15


def test_place_size_and_roll_of_a_face_do_not_matter(tell, neutral):
    points = smiling(neutral, 6)
    turn = 0.4 * np.array([[np.cos(2), -np.sin(2)], [np.sin(2), np.cos(2)]])
    found, expected = (tell(face_of(p)) for p in (points @ turn.T + (500, -20), points))
    assert found == pytest.approx(expected, abs=1e-3)


def test_the_sample_smiles_and_shows_her_teeth(tell):
    detect = edge.FaceKeypoints(precision="fp32", points68=True)
    found = tell(detect(load_image(SAMPLE))[0])
    assert found["smile"] > 0.7
    assert found["pout"] < 0.1


def test_a_neutral_of_the_person_is_taken_off(tell, neutral):
    face = face_of(smiling(neutral, 6))
    assert max(tell(face, neutral=tell.raw([face])[0]).values()) == 0


def test_faces_without_the_points_have_no_expressions(tell, neutral):
    face = face_of(neutral)
    assert tell(replace(face, points68=None)) is None
    assert tell(face_of(np.zeros((68, 2)))) is None
    with pytest.raises(ValueError, match="points68"):
        tell.raw([replace(face, points68=None)])


def test_only_expressions_that_the_points_can_tell_are_offered(tell):
    assert min(tell.correlations) >= 0.9
    assert {"smile", "jaw_open", "pout"} <= set(tell.names)
    assert expressions.EMBEDDED.stat().st_size < 200_000


def test_a_damaged_network_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(expressions, "EMBEDDED", tmp_path / "expressions.npz")
    with pytest.raises(ModelError, match="cannot be read"):
        edge.Expressions()


def test_in_a_video_the_usual_face_counts_as_rest(neutral):
    image = np.zeros((8, 8, 3), np.uint8)
    usual, more = smiling(neutral, 5), smiling(neutral, 10)
    values = {}
    for name in ("absolute", "relative"):
        assess = Assessor(expressions=name)
        for frame in range(50):
            (found,) = assess(image, [face_of(usual, 1)], frame / 5)
        (strong,) = assess(image, [face_of(more, 1)], 10.0)
        values[name] = found.expressions["smile"], strong.expressions["smile"]
        assess.start_video()
        (first,) = assess(image, [face_of(usual, 1)], 0.0)
        assert first.expressions["smile"] == pytest.approx(values["absolute"][0])
    assert values["relative"][0] < 0.01
    assert values["relative"][1] > 0.2
    assert values["absolute"][1] > values["absolute"][0] > 0.2


def test_rows_follow_the_columns(tell):
    assessor = Assessor(with_quality=True, expressions="absolute")
    assert assessor.columns[:2] == ("quality", "quality_size")
    assert assessor.columns[-len(tell.names) :] == tuple(f"expressions_{n}" for n in tell.names)
    row = Assessment(expressions={"smile": 0.25}).to_row(("quality", "expressions_smile"))
    assert row == [None, 0.25]
