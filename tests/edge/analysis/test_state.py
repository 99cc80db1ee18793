import json

from edge.analysis.state import COLUMNS, FaceState
from edge.measures import Measure


def test_a_state_is_written_without_what_is_unknown():
    state = FaceState(
        eye_opening_left=Measure(0.312345, 0.02), distance_cm=Measure(61.2345, 3.0), facing=0.98765
    )
    record = state.to_dict()
    assert record == {
        "eye_opening_left": {"value": 0.3123, "error": 0.02},
        "distance_cm": {"value": 61.23, "error": 3.0},
        "facing": 0.9877,
    }
    json.dumps(record, allow_nan=False)
    row = dict(zip(COLUMNS, state.to_row(), strict=True))
    assert {name: value for name, value in row.items() if value is not None} == {
        "eye_opening_left": 0.3123,
        "eye_opening_left_error": 0.02,
        "distance_cm": 61.23,
        "distance_cm_error": 3.0,
        "facing": 0.9877,
    }


def test_nothing_known_is_an_empty_record():
    assert FaceState().to_dict() == {}
    assert FaceState().to_row() == [None] * len(COLUMNS)
