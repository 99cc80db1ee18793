import pytest

from edge.analysis.perclos import Perclos


def test_the_share_of_closed_time_in_the_window():
    perclos = Perclos(window_s=10.0)
    for i in range(300):
        perclos(i / 30, 0.02 if i % 30 < 6 else 0.3, 0.3)
    assert perclos.value == pytest.approx(0.2, abs=0.01)
    for i in range(300, 700):
        perclos(i / 30, 0.3, 0.3)
    assert perclos.value == pytest.approx(0, abs=1e-9)


def test_too_little_time_has_no_value_and_gaps_do_not_count():
    perclos = Perclos()
    for i in range(120):
        perclos(i / 30, 0.3, 0.3)
    assert perclos.value is None
    perclos(30.0, 0.02, 0.3)  # a gap of 26 s counts as half a second
    for i in range(60):
        perclos(30 + (i + 1) / 30, 0.3, 0.3)
    assert perclos.value == pytest.approx(0.5 / (119 / 30 + 0.5 + 2), abs=1e-6)
