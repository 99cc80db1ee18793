import numpy as np
import pytest

from edge.analysis.state import FaceState
from edge.measures import Measure
from examples import head_mouse
from tests.examples.filming import film


def steer(monkeypatch, angles, image):
    """The steps of the pointer, with a head that has these yaws and pitches."""
    states = (FaceState(yaw_deg=Measure(y, 1), pitch_deg=Measure(p, 1)) for y, p in angles)

    class Scripted:
        def __call__(self, image, faces):
            return [next(states)]

    monkeypatch.setattr(head_mouse.edge, "Analyzer", Scripted)
    steps = []
    head_mouse.steer(film([(image, len(angles) / 10)]), lambda *step: steps.append(step))
    return np.array(steps)


def test_turns_beyond_rest_move_the_pointer(monkeypatch, nobody):
    usual, right, down = (2.0, -8.0), (-8.0, -8.0), (2.0, -17.0)
    steps = steer(monkeypatch, [usual] * 12 + [(4.0, -6.0)] * 3 + [right] * 2 + [down], nobody)
    # 10° and 9° beyond what is usual, 6° and 5° of them count, in a tenth of a second
    assert steps == pytest.approx(np.array([[36, 0], [36, 0], [0, 30]]), abs=1e-6)


def test_a_real_head_that_rests_moves_nothing(smiling):
    steps = []
    head_mouse.steer(film([(smiling, 2)]), lambda *step: steps.append(step))
    assert steps == []
