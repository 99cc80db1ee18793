from benchmarks.datasets.sample import SAMPLE
from benchmarks.harness.timing import RunLength
from benchmarks.latency import stages
from edge.facekeypoints import FaceKeypoints


def test_every_stage_is_timed_on_the_photos(monkeypatch):
    monkeypatch.setattr("benchmarks.harness.timing._WARM_UP", 1)
    detect = FaceKeypoints(precision="fp32")
    times = stages.time_stages([SAMPLE], detect, RunLength(2, 0.0))
    assert list(times) == [
        "decode", "grey", "detect", "crop", "keypoints", "map back", "draw", "end to end"
    ]  # fmt: skip
    assert all(len(ms) == 2 and (ms >= 0).all() for ms in times.values())


def test_successive_calls_take_successive_photos():
    used = []
    call = stages._cycle(["a", "b"], used.append)
    for _ in range(3):
        call()
    assert used == ["a", "b", "a"]
