import numpy as np
import pytest

import edge
from edge.analysis.assessment import Assessment, Assessor
from edge.analysis.state import COLUMNS, FaceState
from edge.image import load_image


def test_each_face_of_a_video_has_a_state_and_the_end_gives_what_was_in_progress(sample, detect):
    image = load_image(sample)
    noise = np.random.default_rng(0)
    track, assess = edge.Tracker(detect), Assessor(analyze=edge.Analyzer())
    assess.start_video()
    for i in range(12):
        frame = np.clip(image + noise.normal(0, 2, image.shape), 0, 255).astype(np.uint8)
        (face,) = track(frame, i / 10)
        (assessment,) = assess(frame, [face], i / 10)
        assert assessment.state.facing > 0.5
        assert assessment.state.perclos is None  # too little is known
        assert assess.events == []
    (event,) = assess.finish_video()
    assert (event.kind, event.track, event.time) == ("facing", face.track_id, 0.0)
    assert event.end == pytest.approx(1.1)


def test_a_still_image_has_states_without_events(sample, detect):
    assess = Assessor(analyze=edge.Analyzer())
    assert assess.columns == COLUMNS
    (assessment,) = assess(load_image(sample), detect(sample))
    assert assessment.to_dict()["state"]["facing"] > 0.5
    assert assess.finish_video() == []


def test_states_are_beside_what_else_is_assessed():
    assessment = Assessment(expressions={"smile": 0.25}, state=FaceState(facing=0.75))
    assert assessment.to_dict() == {"expressions": {"smile": 0.25}, "state": {"facing": 0.75}}
    columns = ("expressions_smile", "facing", "distance_cm", "quality")
    assert assessment.to_row(columns) == [0.25, 0.75, None, None]


def test_visibility_is_by_name_and_in_columns_of_its_own(sample, detect):
    assess = Assessor(visibility=edge.Visibility())
    assert assess.columns == tuple(f"{name}_visible" for name in edge.KEYPOINT_NAMES)
    image = load_image(sample)
    faces = detect(image)
    (assessment,) = assess(image, faces)
    visible = assessment.to_dict()["visible"]
    assert list(visible) == list(edge.KEYPOINT_NAMES)
    assert list(visible.values()) == assessment.to_row(assess.columns)
    assert visible["nose_tip"] == pytest.approx(float(assessment.visible[10]), abs=1e-4)
    (unasked,) = Assessor(with_quality=True)(image, faces)
    assert "visible" not in unasked.to_dict()
