import csv
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge.run.command import main

FAST = ("--precision", "fp32")
CROP = ("--detector", "none", *FAST)


@pytest.fixture
def folder(sample, tmp_path, monkeypatch):
    """Three crops of the sample and a broken file, here."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    face = Image.open(sample).crop((174, 64, 274, 164))
    for i, name in enumerate(("a.png", "b.png", "d.png")):
        face.rotate(4 * i).save(tmp_path / "in" / name)
    (tmp_path / "in" / "c.png").write_text("no picture")
    return tmp_path


def records(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_folder_is_done_in_order_and_a_bad_file_loses_nothing_else(folder, capsys):
    arguments = ["in", *CROP, "-o", "out/", "--json", "f.jsonl", "--csv", "f.csv"]
    assert main(arguments) == 1
    assert [r["image"] for r in records(folder / "f.jsonl")] == ["in/a.png", "in/b.png", "in/d.png"]
    out, err = capsys.readouterr()
    assert "c.png: not a picture" in err
    assert "edge: 1 of 4 sources failed" in err
    assert "\r" not in err  # a bar is for terminals
    assert len(out.splitlines()) == 3
    names = ["a.keypoints.png", "b.keypoints.png", "d.keypoints.png"]
    assert sorted(p.name for p in (folder / "out").iterdir()) == names


def test_many_pictures_together_give_what_each_gives_alone(folder):
    assert main(["in/a.png", "in/b.png", "in/d.png", *CROP, "--json", "all.jsonl"]) == 0
    for record in records(folder / "all.jsonl"):
        assert main([record["image"], *CROP, "--json", "one.jsonl"]) == 0
        (alone,) = records(folder / "one.jsonl")
        for name, point in record["faces"][0]["keypoints"].items():
            assert alone["faces"][0]["keypoints"][name] == pytest.approx(point, abs=0.02)


def test_a_run_that_was_cut_off_goes_on(folder, capsys):
    (folder / "in" / "c.png").unlink()
    arguments = ["in", *CROP, "-o", "out/", "--json", "f.jsonl", "--csv", "f.csv"]
    assert main(arguments) == 0
    whole = [(folder / name).read_text() for name in ("f.jsonl", "f.csv")]
    for name, text in zip(("f.jsonl", "f.csv"), whole, strict=True):
        (folder / name).write_text(text[:-20])  # in the middle of the last
    shutil.rmtree(folder / "out")
    capsys.readouterr()
    assert main([*arguments, "--resume"]) == 0
    assert [(folder / name).read_text() for name in ("f.jsonl", "f.csv")] == whole
    out, _ = capsys.readouterr()
    assert "in/a.png" not in out
    assert "in/d.png" in out
    # The names of pictures that were done are not given away.
    assert "b.keypoints.png" in {p.name for p in (folder / "out").iterdir()}


def test_crops_in_a_file_are_what_crops_as_pictures_are(folder):
    crops = [np.asarray(Image.open(folder / "in" / n).convert("L").resize((96, 96))) for n in (
        "a.png", "b.png")]  # fmt: skip
    np.save(folder / "crops.npy", np.stack(crops))
    rows = "\n".join(
        f"{i},{' '.join(map(str, c.reshape(-1)))}" for i, c in zip((5, 8), crops, strict=True)
    )
    (folder / "test.csv").write_text(f"ImageId,Image\n{rows}\n")
    assert main(["crops.npy", "test.csv", *FAST, "--json", "f.jsonl", "--csv", "f.csv"]) == 0
    found = records(folder / "f.jsonl")
    assert [(r["image"], r["frame"]) for r in found] == [
        ("crops.npy", 0), ("crops.npy", 1), ("test.csv", 5), ("test.csv", 8)
    ]  # fmt: skip
    assert found[0]["faces"] == found[2]["faces"]
    with (folder / "f.csv").open() as file:
        assert [row["frame"] for row in csv.DictReader(file)] == ["0", "1", "5", "8"]


def test_faces_are_cut_out_for_recognition(folder):
    assert main(["in/a.png", "in/b.png", *CROP, "--no-picture", "--align", "chips"]) == 0
    assert sorted(p.name for p in (folder / "chips").iterdir()) == ["a.face-0.png", "b.face-0.png"]
    with Image.open(folder / "chips" / "a.face-0.png") as chip:
        assert (chip.size, chip.mode) == ((112, 112), "RGB")
    assert main(["in/a.png", *CROP, "--no-picture", "--align", "c", "--align-size", "64"]) == 0
    with Image.open(folder / "c" / "a.face-0.png") as chip:
        assert chip.size == (64, 64)


def test_faces_cut_out_get_the_same_names_when_a_run_goes_on_and_never_an_inputs(folder):
    (folder / "other").mkdir()
    for name in ("other/a.png", "chips/a-2.face-0.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy("in/b.png", name)
    before = (folder / "chips" / "a-2.face-0.png").read_bytes()
    words = ["in/a.png", "other/a.png", "chips/a-2.face-0.png"]
    flags = [*CROP, "--no-picture", "--align", "chips", "--json", "f.jsonl"]
    assert main([*words, *flags]) == 0
    names = ["a-2.face-0.face-0.png", "a-2.face-0.png", "a-3.face-0.png", "a.face-0.png"]
    chips = {p.name: p.read_bytes() for p in (folder / "chips").iterdir()}
    assert sorted(chips) == names
    assert chips["a-2.face-0.png"] == before
    assert main([*words, *flags, "--resume"]) == 0
    assert {p.name: p.read_bytes() for p in (folder / "chips").iterdir()} == chips


def test_an_empty_folder_and_an_impossible_name_stop_nothing_else(folder, capsys):
    (folder / "empty").mkdir()
    words = ["empty", "x" * 300 + ".png", "in/a.png", "none*.png"]
    assert main([*words, *CROP, "--no-picture", "--json", "f.jsonl"]) == 1
    assert [r["image"] for r in records(folder / "f.jsonl")] == ["in/a.png"]
    err = capsys.readouterr().err
    assert "empty: holds no picture and no video" in err
    assert "3 of 4 sources failed" in err


def test_a_file_of_another_kind_is_refused(folder, capsys):
    assert main(["in/a.png", *CROP, "-o", "a.mp4"]) == 1
    assert "a.mp4: cannot hold a picture; use .jpg or .png" in capsys.readouterr().err


def test_faces_are_hidden_on_request(folder, sample):
    assert main([str(sample), *FAST, "--blur", "face", "-o", "blurred.png"]) == 0
    with Image.open(sample) as before, Image.open(folder / "blurred.png") as after:
        a, b = (np.asarray(image.convert("RGB"), int) for image in (before, after))
    apart = np.abs(a - b).max(axis=2)
    assert apart[95:110, 190:260].mean() > 10  # the eyes
    assert apart[300:, 300:].max() == 0


def test_what_a_bug_report_needs_is_printed(capsys):
    assert main(["--info"]) == 0
    assert "keypoints.onnx" in capsys.readouterr().out


class TestVideo:
    @pytest.fixture(autouse=True)
    def film(self, tmp_path, monkeypatch):
        pytest.importorskip("cv2")
        from benchmarks.datasets.synthetic_videos import SCENES, play
        from benchmarks.tracking import make_actors
        from edge.video.capture import VideoWriter

        monkeypatch.chdir(tmp_path)
        writer = VideoWriter(tmp_path / "film.avi", 30.0)
        ground = np.full((48, 64, 3), 96, np.uint8)
        for number, shot in enumerate(play(SCENES["wander"], make_actors(), ground)):
            if number == 40:
                break
            writer.write(shot.picture)
        writer.close()
        return tmp_path

    def test_a_video_gives_a_line_a_frame_and_a_video_of_its_rate_and_length(self, film, capsys):
        from edge.video.capture import Video

        assert main(["film.avi", *FAST, "--json", "f.jsonl", "--csv", "f.csv"]) == 0
        found = records(film / "f.jsonl")
        assert [r["frame"] for r in found] == list(range(40))
        assert found[30]["time"] == pytest.approx(1.0)
        assert {face["id"] for r in found for face in r["faces"]} == {0}
        written = Video(film / "film.keypoints.avi")
        assert written.rate == 30.0
        assert len(list(written.frames())) == 40
        assert "annotated video: film.keypoints.avi" in capsys.readouterr().err

    def test_a_part_of_a_video(self, film):
        arguments = ["film.avi", *FAST, "--no-picture", "--json", "f.jsonl", "--every", "3"]
        assert main([*arguments, "--start", "0.5", "--stop", "1.0"]) == 0
        assert [r["frame"] for r in records(film / "f.jsonl")] == [15, 18, 21, 24, 27]

    def test_a_video_half_done_is_done_again(self, film):
        arguments = ["film.avi", *FAST, "--json", "f.jsonl"]
        assert main(arguments) == 0
        whole = (film / "f.jsonl").read_text()
        (film / "f.jsonl").write_text(whole[: len(whole) // 2])
        assert main([*arguments, "--resume"]) == 0
        assert (film / "f.jsonl").read_text() == whole

    def test_a_broken_video_is_one_line_and_the_rest_is_done(self, film, sample, capsys):
        (film / "broken.mp4").write_text("no video")
        shutil.copy(sample, film / "photo.jpg")
        assert main(["broken.mp4", "photo.jpg", *FAST, "--json", "f.jsonl", "--no-picture"]) == 1
        err = capsys.readouterr().err
        assert "broken.mp4: cannot be opened as a video" in err
        assert len(err.splitlines()) == 2
        assert [r["image"] for r in records(film / "f.jsonl")] == ["photo.jpg"]

    def test_a_camera_is_followed_until_it_ends(self, film, monkeypatch, capsys):
        from edge.video.capture import Video

        class Capture:
            def __init__(self):
                import cv2

                self.inner = cv2.VideoCapture("film.avi")

            def read(self):
                return self.inner.read()

            def release(self):
                self.inner.release()

        import edge.video.capture

        opened = edge.video.capture._open
        monkeypatch.setattr(
            "edge.video.capture._open",
            lambda cv2, what: Capture() if what == 0 else opened(cv2, what),
        )
        assert main(["camera:0", *FAST, "--json", "f.jsonl", "-o", "seen.avi"]) == 0
        assert records(film / "f.jsonl")[0]["image"] == "camera:0"
        assert "frames a second" in capsys.readouterr().err
        assert list(Video(film / "seen.avi").frames())

    def test_an_interrupted_camera_is_let_go_and_its_video_kept(self, film, monkeypatch):
        import edge.video.capture
        from edge.video.capture import Video
        from edge.video.tracker import Tracker

        class Capture:
            released = False

            def read(self):
                return True, np.full((48, 64, 3), 90, np.uint8)

            def release(self):
                self.released = True

        capture, frames, follow = Capture(), 0, Tracker.__call__
        opened = edge.video.capture._open

        def interrupted(self, *arguments):
            nonlocal frames
            frames += 1
            if frames > 5:
                raise KeyboardInterrupt
            return follow(self, *arguments)

        monkeypatch.setattr(Tracker, "__call__", interrupted)
        monkeypatch.setattr(
            "edge.video.capture._open",
            lambda cv2, what: capture if what == 0 else opened(cv2, what),
        )
        assert main(["camera:0", *FAST, "--json", "f.jsonl", "-o", "seen.avi"]) == 130
        assert capture.released
        assert len(records(film / "f.jsonl")) == 5
        assert list(Video(film / "seen.avi").frames())


def test_a_video_that_cannot_be_read_without_opencv_stops_nothing_else(
    sample, folder, monkeypatch, capsys
):
    (folder / "mixed").mkdir()
    for name in ("a.jpg", "c.jpg"):
        shutil.copy(sample, folder / "mixed" / name)
    (folder / "mixed" / "b.mp4").write_bytes(b"film")
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert main(["mixed", *FAST, "--no-picture", "--json", "out.jsonl"]) == 1
    assert "edge-keypoints[video]" in capsys.readouterr().err
    names = [json.loads(line)["image"] for line in Path("out.jsonl").read_text().splitlines()]
    assert [Path(name).name for name in names] == ["a.jpg", "c.jpg"]
