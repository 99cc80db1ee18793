import io
import shutil
import sys
from fractions import Fraction
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("av")
pytest.importorskip("cv2")  # the videos are made with it

from edge.run.command import main
from edge.run.films import FrameRange
from edge.video.reader import Video
from edge.video.tracker import Tracker
from edge.video.writer import VideoWriter
from tests.edge.run.command_line import FP32, read_records
from tests.made_videos import encode


@pytest.fixture
def film(tmp_path, monkeypatch):
    """The working directory, with `film.avi`: 40 frames, 30 per second, of one moving face."""
    from benchmarks.datasets.actors import make_actors
    from benchmarks.datasets.synthetic_videos import SCENES, render

    monkeypatch.chdir(tmp_path)
    writer = VideoWriter(tmp_path / "film.avi", 30.0)
    ground = np.full((48, 64, 3), 96, np.uint8)
    for number, frame in enumerate(render(SCENES["wander"], make_actors(), ground)):
        if number == 40:
            break
        writer.write(frame.image)
    writer.close()
    return tmp_path


@pytest.mark.parametrize(
    ("selected", "expected"),
    [
        (FrameRange(), 100),
        (FrameRange(every=3), 33),
        (FrameRange(start=1.0), 75),
        (FrameRange(start=1.0, stop=2.0), 25),
        (FrameRange(every=2, stop=100.0), 50),
        (FrameRange(start=5.0), 0),
    ],
)
def test_a_frame_range_counts_the_frames_of_a_video(selected, expected):
    assert selected.count(SimpleNamespace(rate=25.0, count=100)) == expected


def test_a_video_of_unknown_length_has_no_total():
    assert FrameRange().count(SimpleNamespace(rate=25.0, count=0)) == 0


def test_a_video_gives_a_record_per_frame_and_a_video_of_its_rate_and_length(film, capsys):
    assert main(["film.avi", *FP32, "--json", "f.jsonl", "--csv", "f.csv"]) == 0
    records = read_records(film / "f.jsonl")
    assert [r["frame"] for r in records] == list(range(40))
    assert records[30]["time"] == pytest.approx(1.0)
    assert {face["id"] for r in records for face in r["faces"]} == {0}
    written = Video(film / "film.keypoints.avi")
    assert written.rate == 30.0
    assert len(list(written.frames())) == 40
    out, err = capsys.readouterr()
    assert err == "film.avi: annotated video: film.keypoints.avi\n"
    assert out == ""  # frames are not printed


def test_times_of_a_variable_rate_are_in_the_records_and_in_the_copy(film):
    stamps = [0, 33, 67, 1200, 1210, 1600, 3000, 3033, 4800]  # ms
    frames = [frame.image for frame in islice(Video("film.avi").frames(), len(stamps))]
    encode(film / "vfr.mkv", frames, stamps)
    assert main(["vfr.mkv", *FP32, "--json", "f.jsonl", "-o", "copy.mp4"]) == 0
    times = [stamp / 1000 for stamp in stamps]
    assert [r["time"] for r in read_records(film / "f.jsonl")] == pytest.approx(times)
    assert [f.time for f in Video("copy.mp4").frames()] == pytest.approx(times, abs=1e-4)
    assert main(["vfr.mkv", *FP32, "--json", "f.jsonl", "--no-picture", "--start", "1.2",
                 "--stop", "3"]) == 0  # fmt: skip
    assert [r["frame"] for r in read_records(film / "f.jsonl")] == [3, 4, 5]


def test_a_copy_in_a_format_without_times_says_that_it_is_resampled(film, capsys):
    frames = [frame.image for frame in islice(Video("film.avi").frames(), 3)]
    encode(film / "vfr.mkv", frames, [0, 500, 2000])
    assert main(["vfr.mkv", *FP32, "-o", "copy.avi"]) == 0
    assert "vfr.mkv: resampled to " in capsys.readouterr().err


def test_only_the_selected_frames_of_a_video_are_processed(film):
    arguments = ["film.avi", *FP32, "--no-picture", "--json", "f.jsonl", "--every", "3"]
    assert main([*arguments, "--start", "0.5", "--stop", "1.0"]) == 0
    assert [r["frame"] for r in read_records(film / "f.jsonl")] == [15, 18, 21, 24, 27]


def test_an_incomplete_video_is_processed_again(film):
    arguments = ["film.avi", *FP32, "--json", "f.jsonl"]
    assert main(arguments) == 0
    complete = (film / "f.jsonl").read_text()
    (film / "f.jsonl").write_text(complete[: len(complete) // 2])
    assert main([*arguments, "--resume"]) == 0
    assert (film / "f.jsonl").read_text() == complete


def cut(path, share=0.5):
    data = path.read_bytes()
    path.write_bytes(data[: round(len(data) * share)])
    return data


def test_a_video_that_is_cut_fails_after_the_frames_it_has(film, capsys):
    cut(film / "film.avi")
    assert main(["film.avi", *FP32, "--json", "f.jsonl"]) == 1
    read = len(read_records(film / "f.jsonl"))
    assert read == pytest.approx(20, abs=3)
    annotated, failure = capsys.readouterr().err.splitlines()
    assert annotated == "film.avi: annotated video: film.keypoints.avi"
    assert failure == f"edge: film.avi: damaged or cut: {read} of 40 frames were read"
    assert len(list(Video(film / "film.keypoints.avi").frames())) == read


@pytest.mark.parametrize("tables", [("json",), ("csv",), ("json", "csv")])
def test_a_video_that_was_cut_is_processed_again(film, sample, tables):
    whole = cut(film / "film.avi")
    shutil.copy(sample, film / "photo.jpg")
    arguments = ["film.avi", "photo.jpg", *FP32, "--no-picture"]
    for name in tables:
        arguments += [f"--{name}", f"f.{name}"]
    assert main(arguments) == 1
    assert main([*arguments, "--resume"]) == 1  # as it is still damaged
    (film / "film.avi").write_bytes(whole)
    assert main([*arguments, "--resume"]) == 0
    assert sorted(path.name for path in film.iterdir()) == sorted(
        ["film.avi", "photo.jpg", *(f"f.{name}" for name in tables)]
    )
    for name in tables:
        lines = (film / f"f.{name}").read_text().splitlines()[name == "csv" :]
        assert sum("film.avi" in line for line in lines) == 40
        assert sum("photo.jpg" in line for line in lines) == 1
    assert main([*arguments, "--resume"]) == 0


def test_a_mark_stays_while_others_are_resumed(film, sample):
    cut(film / "film.avi")
    shutil.copy(sample, film / "photo.jpg")
    arguments = [*FP32, "--no-picture", "--json", "f.jsonl"]
    assert main(["film.avi", *arguments]) == 1
    assert main(["photo.jpg", *arguments, "--resume"]) == 0
    assert (film / "f.jsonl.incomplete").read_text() == '"film.avi"\n'


def test_a_run_that_is_no_continuation_forgets_what_failed_before(film):
    whole = cut(film / "film.avi")
    arguments = ["film.avi", *FP32, "--no-picture", "--json", "f.jsonl"]
    assert main(arguments) == 1
    assert (film / "f.jsonl.incomplete").read_text() == '"film.avi"\n'
    (film / "film.avi").write_bytes(whole)
    assert main(arguments) == 0
    assert not (film / "f.jsonl.incomplete").exists()


def test_a_broken_video_is_one_line_and_the_next_source_is_processed(film, sample, capsys):
    (film / "broken.mp4").write_text("no video")
    shutil.copy(sample, film / "photo.jpg")
    assert main(["broken.mp4", "photo.jpg", *FP32, "--json", "f.jsonl", "--no-picture"]) == 1
    err = capsys.readouterr().err
    assert "broken.mp4: cannot be opened as a video" in err
    assert len(err.splitlines()) == 2
    assert [r["image"] for r in read_records(film / "f.jsonl")] == ["photo.jpg"]


@pytest.mark.parametrize("suffix", ["h264", "mjpeg", "mkv"])
def test_a_video_on_standard_input_is_processed(film, monkeypatch, suffix):
    frames = [frame.image for frame in islice(Video("film.avi").frames(), 12)]
    codec = {"h264": "libx264", "mjpeg": "mjpeg"}.get(suffix, "mpeg4")
    path = encode(film / f"pipe.{suffix}", frames, range(12), Fraction(1, 25), codec)
    data = io.BytesIO(path.read_bytes())
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=data))
    assert main(["-", *FP32, "--json", "f.jsonl", "-o", "copy.mp4"]) == 0
    records = read_records(film / "f.jsonl")
    assert [(r["image"], r["frame"]) for r in records] == [("-", n) for n in range(12)]
    assert [r["time"] for r in records] == pytest.approx([n / 25 for n in range(12)])
    assert all(len(r["faces"]) == 1 for r in records)
    assert len(list(Video("copy.mp4").frames())) == 12


def interrupt_after(count, monkeypatch):
    """Raise KeyboardInterrupt in place of tracking frame number `count`."""
    track, numbers = Tracker.__call__, iter(range(count + 1))

    def interrupted(self, *arguments):
        if next(numbers) == count:
            raise KeyboardInterrupt
        return track(self, *arguments)

    monkeypatch.setattr(Tracker, "__call__", interrupted)


def test_an_interrupted_video_keeps_its_records_but_no_partial_video(film, monkeypatch):
    interrupt_after(5, monkeypatch)
    assert main(["film.avi", *FP32, "--json", "f.jsonl"]) == 130
    assert [r["frame"] for r in read_records(film / "f.jsonl")] == list(range(5))
    assert sorted(path.name for path in film.iterdir()) == ["f.jsonl", "film.avi"]


def test_a_camera_is_processed_until_it_ends(film, fake_camera, capsys):
    capture = fake_camera(frame.image[..., ::-1] for frame in Video("film.avi").frames())
    assert main(["camera:0", *FP32, "--json", "f.jsonl", "-o", "out.avi"]) == 0
    assert {r["image"] for r in read_records(film / "f.jsonl")} == {"camera:0"}
    annotated, summary = capsys.readouterr().err.splitlines()
    assert annotated == "camera:0: annotated video: out.avi"
    assert summary.startswith("camera:0: ")
    assert "frames per second" in summary
    assert capture.released
    assert list(Video(film / "out.avi").frames())


def test_an_interrupted_camera_is_released_and_its_video_kept(film, fake_camera, monkeypatch):
    interrupt_after(5, monkeypatch)
    capture = fake_camera(np.full((48, 64, 3), 90, np.uint8) for _ in range(10**9))
    assert main(["camera:0", *FP32, "--json", "f.jsonl", "-o", "out.avi"]) == 130
    assert capture.released
    assert len(read_records(film / "f.jsonl")) == 5
    assert list(Video(film / "out.avi").frames())
