import io
import types

import pytest

from edge.cli.progress import Progress

ERASE = "\r\x1b[K"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that shows the last value of this list, in seconds."""
    seconds = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: seconds[-1])
    return seconds


@pytest.fixture
def terminal(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("edge.cli.progress.sys", types.SimpleNamespace(stderr=terminal))
    return terminal


def test_the_bar_shows_count_rate_and_remaining_time(clock, terminal):
    progress = Progress("images", 8, "images")
    clock.append(2.0)
    progress.step(2)
    bar = "######.................."
    expected = f"{ERASE}images [{bar}] 2 of 8 images, 1.0 per second, 0:06 left"
    assert terminal.getvalue() == expected


def test_without_a_total_there_is_a_count_and_no_bar(clock, terminal):
    progress = Progress("camera:0", 0, "frames")
    clock.append(0.5)
    progress.step(10)
    assert terminal.getvalue() == f"{ERASE}camera:0: 10 frames, 20.0 per second"


def test_long_durations_show_hours(clock, terminal):
    progress = Progress("bulk", 3601, "photos")
    clock.append(2.0)
    progress.step(1)
    assert terminal.getvalue().endswith("2:00:00 left")


def test_the_bar_is_updated_ten_times_per_second_and_at_the_end(clock, terminal):
    progress = Progress("images", 3, "images")
    for now in (0.2, 0.25, 0.28):
        clock.append(now)
        progress.step()
    assert terminal.getvalue().count(ERASE) == 2
    assert "3 of 3" in terminal.getvalue()


def test_clear_erases_the_bar(clock, terminal):
    Progress("images", 3, "images").clear()
    assert terminal.getvalue() == ERASE


@pytest.mark.parametrize("is_terminal", [True, False])
def test_without_a_terminal_or_hidden_nothing_is_printed_but_the_rate_is_known(
    is_terminal, clock, monkeypatch
):
    stream = Terminal() if is_terminal else io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    progress = Progress("images", 4, "images", shown=not is_terminal)
    clock.append(2.0)
    progress.step(3)
    progress.clear()
    assert stream.getvalue() == ""
    assert progress.rate == 1.5
