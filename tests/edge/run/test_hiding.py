import numpy as np
import pytest

pytest.importorskip("av")
pytest.importorskip("cv2")  # the videos are made with it

from benchmarks.datasets.actors import make_actors
from benchmarks.datasets.hiding_scenes import scenes
from benchmarks.hiding import measure
from edge.alignment import align
from edge.formats.image_writer import save_image
from edge.image import load_image
from edge.run.command import main
from edge.run.hiding import HiddenFrames
from edge.run.reporter import ImageResult
from edge.video.reader import Video
from tests.edge.run.command_line import FP32, read_records
from tests.made_videos import add_tone, encode


@pytest.fixture(scope="module")
def actors():
    return make_actors()


@pytest.mark.parametrize(
    "name",
    ["entry, left in 0.5 s", "exit, bottom in 0.5 s", "crossing, 240 px/s", "turn, 90° in 0.5 s",
     "visit, 1 frames", "visit, 9 frames, small"],
)  # fmt: skip
def test_no_face_is_bare_in_any_frame(name, actors, detect):
    outcome = measure(scenes()[name], actors, detect)
    assert outcome.seen > 0
    assert (outcome.bare, outcome.partly) == (0, 0)
    assert outcome.needless < 0.08


def test_frames_come_in_order_a_second_late_and_all(rng):
    hidden, times = HiddenFrames("face", 0.5), []
    image = rng.integers(0, 256, (60, 80, 3)).astype(np.uint8)
    for number in range(25):
        for _, time in hidden.add(ImageResult("film", image, [], number, number / 10)):
            times.append(time)
            assert time < number / 10 - 1
    times += [time for _, time in hidden.finish()]
    assert times == [number / 10 for number in range(25)]


def test_a_face_that_is_there_for_three_frames_is_hidden_in_the_copy(
    sample, tmp_path, monkeypatch, detect
):
    monkeypatch.chdir(tmp_path)
    photo = load_image(sample)
    portrait = align(photo, detect(photo)[0], 256)
    empty = np.full_like(portrait, 128)
    frames = [portrait if number in (12, 13, 14) else empty for number in range(30)]
    encode(tmp_path / "silent.mp4", frames, range(0, 1200, 40))
    add_tone(tmp_path / "silent.mp4", tmp_path / "film.mp4", 1.2)
    arguments = ["film.mp4", *FP32, "--blur", "face", "-o", "copy.mp4", "--json", "f.jsonl"]
    assert main(arguments) == 0
    copy = list(Video("copy.mp4").frames())
    assert [f.time for f in copy] == pytest.approx([n * 0.04 for n in range(30)], abs=1e-4)
    for number in (12, 13, 14):
        assert detect(copy[number].image) == []
        # Outside the face the picture is as it was.
        assert abs(copy[number].image[236:, :20].astype(int) - portrait[236:, :20]).mean() < 8
    import av

    with av.open("copy.mp4") as container:
        assert len(container.streams.audio) == 1
    assert len(read_records(tmp_path / "f.jsonl")) == 30


def test_weak_finds_are_hidden_and_not_reported(sample, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo = load_image(sample)
    save_image(photo, tmp_path / "a.png")
    arguments = ["a.png", *FP32, "--min-score", "0.99", "--json", "f.jsonl", "--blur", "face"]
    assert main([*arguments, "-o", "hidden.png"]) == 0
    assert read_records(tmp_path / "f.jsonl")[0]["faces"] == []
    assert (load_image(tmp_path / "hidden.png") != photo)[80:160, 190:260].mean() > 0.9
    assert main([*arguments, "-o", "bare.png", "--blur-min-score", "0.99"]) == 0
    np.testing.assert_array_equal(load_image(tmp_path / "bare.png"), photo)
