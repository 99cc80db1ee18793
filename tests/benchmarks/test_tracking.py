import pytest

pytest.importorskip("cv2")

from benchmarks import tracking
from benchmarks.datasets.actors import make_actors
from benchmarks.datasets.synthetic_videos import Scene


def test_a_still_face_is_measured_tracked_and_frame_by_frame(monkeypatch):
    monkeypatch.setattr(tracking, "_REPEATS", 1)
    scene = Scene((lambda t: (320.0, 240.0, 1.0, 0.0),), 0.8)
    row = tracking.measure(scene, make_actors()[:1])
    assert (row["frames"], row["switches"], row["lag_frames"]) == (24, 0, 0.0)
    assert row["seen"] == row["seen_frame_by_frame"] == 1
    assert row["error_px"] < 1
    assert row["unrest_px"] < row["unrest_px_frame_by_frame"]


def test_the_table_has_a_row_for_each_scene():
    scene = {
        "switches": 1, "seen": 0.987, "error_px": 0.321, "error_px_frame_by_frame": 0.4,
        "unrest_px": 0.0123, "unrest_px_frame_by_frame": 0.1, "lag_frames": 0.5,
        "time_ratio": 0.4, "time_ratio_int8": 0.45,
    }  # fmt: skip
    assert tracking.table({"scenes": {"walk": scene}}).splitlines()[2:] == [
        "| walk | 1 | 98.7% | 0.32 px | 0.40 px | 0.012 px | 0.100 px | 0.50 | 0.40 | 0.45 |"
    ]
