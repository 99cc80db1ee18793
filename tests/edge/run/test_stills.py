import io
import json
import types

import numpy as np
import pytest
from PIL import Image

from edge.run.command import main
from edge.run.output_paths import AnnotatedPaths
from edge.run.stills import StillProcessor
from tests.edge.run.command_line import CROP, FP32, read_records


class FakeDetector:
    """A detector that finds one given face in every image, and records the sizes of batches."""

    def __init__(self, face):
        self.face = face
        self.batches = []

    def batch(self, images):
        self.batches.append(len(images))
        return [[self.face] for _ in images]


def test_images_are_processed_in_order_and_a_bad_file_is_a_failure(
    folder, face, reporter, json_file, capsys
):
    names = ["in/a.png", "in/c.png", "in/b.png", "missing.png", "in/d.png"]
    detect = FakeDetector(face)
    StillProcessor(detect, reporter, None).process(names)
    records = [json.loads(line) for line in json_file.getvalue().splitlines()]
    assert [record["image"] for record in records] == ["in/a.png", "in/b.png", "in/d.png"]
    assert [(record["width"], len(record["faces"])) for record in records] == [(100, 1)] * 3
    assert reporter.failed == 2
    assert sum(detect.batches) == 3
    errors = capsys.readouterr().err.splitlines()
    assert [error.partition(": ")[2].partition(":")[0] for error in errors] == [
        "in/c.png", "missing.png"
    ]  # fmt: skip


def test_annotated_images_are_written_where_the_paths_say(folder, face, reporter, capsys):
    names = ["in/a.png", "in/b.png"]
    StillProcessor(FakeDetector(face), reporter, AnnotatedPaths(names, "out/", [])).process(names)
    assert capsys.readouterr().err.splitlines() == [
        "in/a.png: annotated image: out/a.keypoints.png",
        "in/b.png: annotated image: out/b.keypoints.png",
    ]
    for name in ("a", "b"):
        with Image.open(f"out/{name}.keypoints.png") as annotated:
            assert annotated.size == (100, 100)


def test_an_annotated_image_that_cannot_be_written_is_a_failure(
    folder, face, reporter, json_file, capsys
):
    (folder / "out").write_text("a file, not a folder")
    paths = AnnotatedPaths(["in/a.png"], "out/", [])
    StillProcessor(FakeDetector(face), reporter, paths).process(["in/a.png"])
    assert reporter.failed == 1
    assert capsys.readouterr().err.startswith("edge: out: cannot be created")
    assert json.loads(json_file.getvalue())["image"] == "in/a.png"  # the result is not lost


def test_an_image_that_does_not_fit_in_memory_is_a_failure(
    folder, face, reporter, monkeypatch, capsys
):
    def load(source):
        raise MemoryError

    monkeypatch.setattr("edge.run.stills.load_image", load)
    StillProcessor(FakeDetector(face), reporter, None).process(["in/a.png"])
    assert reporter.failed == 1
    assert capsys.readouterr().err == "edge: in/a.png: too large for the memory of this computer\n"


def test_a_hyphen_reads_standard_input(folder, face, reporter, json_file, monkeypatch):
    data = (folder / "in" / "a.png").read_bytes()
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(data)))
    StillProcessor(FakeDetector(face), reporter, None).process(["-"])
    assert json.loads(json_file.getvalue())["image"] == "-"


def test_images_in_a_batch_give_the_same_results_as_alone(folder):
    assert main(["in/a.png", "in/b.png", "in/d.png", *CROP, "--json", "all.jsonl"]) == 0
    for record in read_records(folder / "all.jsonl"):
        assert main([record["image"], *CROP, "--json", "one.jsonl"]) == 0
        (alone,) = read_records(folder / "one.jsonl")
        for name, point in record["faces"][0]["keypoints"].items():
            assert alone["faces"][0]["keypoints"][name] == pytest.approx(point, abs=0.02)


def test_blurring_changes_the_face_and_nothing_else(folder, sample):
    options = ["--blur", "face", "--blur-min-score", "0.4", "-o", "blurred.png"]
    assert main([str(sample), *FP32, *options]) == 0
    with Image.open(sample) as before, Image.open(folder / "blurred.png") as after:
        a, b = (np.asarray(image.convert("RGB"), int) for image in (before, after))
    difference = np.abs(a - b).max(axis=2)
    assert difference[95:110, 190:260].mean() > 10  # the eyes
    assert difference[300:, 300:].max() == 0
