import shutil
import sys
from pathlib import Path

from PIL import Image

from edge.run.command import main
from edge.run.job import Job
from edge.run.output_paths import AnnotatedPaths
from edge.run.sources import Source
from tests.edge.run.command_line import CROP, FP32, read_records


def test_a_folder_is_processed_in_order_and_a_bad_file_does_not_stop_it(folder, capsys):
    arguments = ["in", *CROP, "-o", "out/", "--json", "f.jsonl", "--csv", "f.csv"]
    assert main(arguments) == 1
    images = [r["image"] for r in read_records(folder / "f.jsonl")]
    assert images == ["in/a.png", "in/b.png", "in/d.png"]
    out, err = capsys.readouterr()
    assert err.startswith("edge: in/c.png: ") or "\nedge: in/c.png: " in err
    assert err.splitlines()[-1] == "edge: 1 of 4 sources failed"
    assert "\r" not in err  # the progress bar is for terminals
    assert [line.partition(":")[0] for line in out.splitlines()] == images
    names = ["a.keypoints.png", "b.keypoints.png", "d.keypoints.png"]
    assert sorted(p.name for p in (folder / "out").iterdir()) == names


def test_an_interrupted_run_is_resumed(folder, capsys):
    (folder / "in" / "c.png").unlink()
    arguments = ["in", *CROP, "-o", "out/", "--json", "f.jsonl", "--csv", "f.csv"]
    assert main(arguments) == 0
    complete = [(folder / name).read_text() for name in ("f.jsonl", "f.csv")]
    for name, text in zip(("f.jsonl", "f.csv"), complete, strict=True):
        (folder / name).write_text(text[:-20])  # within the last record
    shutil.rmtree(folder / "out")
    capsys.readouterr()
    assert main([*arguments, "--resume"]) == 0
    assert [(folder / name).read_text() for name in ("f.jsonl", "f.csv")] == complete
    out, _ = capsys.readouterr()
    assert "in/a.png" not in out
    assert "in/d.png" in out
    assert "b.keypoints.png" in {path.name for path in (folder / "out").iterdir()}


def test_paths_of_completed_sources_are_not_given_to_others(folder, detect, reporter):
    (folder / "other").mkdir()
    shutil.copy("in/a.png", "other/a.png")
    names = ["in/a.png", "other/a.png"]
    job = Job(detect, reporter, AnnotatedPaths(names, "out/", []))
    job.run([Source("image", name) for name in names], completed={"other/a.png"})
    assert [path.name for path in (folder / "out").iterdir()] == ["a.keypoints-2.png"]


def test_an_empty_folder_and_an_impossible_name_do_not_stop_the_others(folder, capsys):
    (folder / "empty").mkdir()
    names = ["empty", "x" * 300 + ".png", "in/a.png", "none*.png"]
    assert main([*names, *CROP, "--no-picture", "--json", "f.jsonl"]) == 1
    assert [r["image"] for r in read_records(folder / "f.jsonl")] == ["in/a.png"]
    err = capsys.readouterr().err.splitlines()
    assert err[0] == "edge: empty: contains no image or video"
    assert err[-1] == "edge: 3 of 4 sources failed"


def test_without_pyav_a_video_fails_and_the_images_are_processed(
    sample, folder, monkeypatch, capsys
):
    (folder / "mixed").mkdir()
    for name in ("a.jpg", "c.jpg"):
        shutil.copy(sample, folder / "mixed" / name)
    (folder / "mixed" / "b.mp4").write_bytes(b"film")
    monkeypatch.setitem(sys.modules, "av", None)
    assert main(["mixed", *FP32, "--no-picture", "--json", "out.jsonl"]) == 1
    assert "edge-keypoints[video]" in capsys.readouterr().err
    images = [Path(record["image"]).name for record in read_records(folder / "out.jsonl")]
    assert images == ["a.jpg", "c.jpg"]


def test_an_output_file_of_the_wrong_type_is_refused(folder, capsys):
    assert main(["in/a.png", *CROP, "-o", "a.mp4"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "edge: a.mp4: cannot hold an image; use .jpg or .png"
    ]


def test_aligned_faces_have_the_requested_size(folder):
    assert main(["in/a.png", "in/b.png", *CROP, "--no-picture", "--align", "chips"]) == 0
    assert sorted(p.name for p in (folder / "chips").iterdir()) == ["a.face-0.png", "b.face-0.png"]
    with Image.open(folder / "chips" / "a.face-0.png") as chip:
        assert (chip.size, chip.mode) == ((112, 112), "RGB")
    assert main(["in/a.png", *CROP, "--no-picture", "--align", "c", "--align-size", "64"]) == 0
    with Image.open(folder / "c" / "a.face-0.png") as chip:
        assert chip.size == (64, 64)


def test_a_resumed_run_gives_aligned_faces_the_same_names_and_overwrites_no_input(folder):
    (folder / "other").mkdir()
    for name in ("other/a.png", "chips/a-2.face-0.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy("in/b.png", name)
    before = (folder / "chips" / "a-2.face-0.png").read_bytes()
    names = ["in/a.png", "other/a.png", "chips/a-2.face-0.png"]
    options = [*CROP, "--no-picture", "--align", "chips", "--json", "f.jsonl"]
    assert main([*names, *options]) == 0
    expected = ["a-2.face-0.face-0.png", "a-2.face-0.png", "a-3.face-0.png", "a.face-0.png"]
    chips = {p.name: p.read_bytes() for p in (folder / "chips").iterdir()}
    assert sorted(chips) == expected
    assert chips["a-2.face-0.png"] == before
    assert main([*names, *options, "--resume"]) == 0
    assert {p.name: p.read_bytes() for p in (folder / "chips").iterdir()} == chips
