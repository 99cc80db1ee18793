import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from edge.anonymization import hide
from edge.drawing import draw
from edge.keypoints import KEYPOINT_NAMES
from edge.run.output_paths import AlignedPaths
from edge.run.reporter import Drawing, ImageResult, Outputs, Reporter
from edge.run.tables import Tables


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)


def make_reporter(drawing=None, **outputs):
    tables = Tables(KEYPOINT_NAMES, None, None)
    return Reporter(Outputs(tables, **outputs), drawing or Drawing(), KEYPOINT_NAMES)


def test_an_image_is_a_record_and_a_printed_line_per_face(reporter, json_file, image, face, capsys):
    reporter.record(ImageResult("a.jpg", image, [face, face]))
    record = json.loads(json_file.getvalue())
    assert (record["image"], record["width"], record["height"]) == ("a.jpg", 80, 60)
    assert [entry["id"] for entry in record["faces"]] == [0, 1]
    assert capsys.readouterr() == (
        "a.jpg: face 0 at x 1, y 3, 3×4 px, score 0.99, typical error 1.5 px\n"
        "a.jpg: face 1 at x 1, y 3, 3×4 px, score 0.99, typical error 1.5 px\n",
        "",
    )


def test_an_image_without_faces_is_a_record_and_a_message(reporter, json_file, image, capsys):
    reporter.record(ImageResult("a.jpg", image, []))
    assert json.loads(json_file.getvalue())["faces"] == []
    assert capsys.readouterr() == ("", "a.jpg: no face found\n")


@pytest.mark.parametrize(
    ("shape", "has_hint"),
    [((60, 80), False), ((350, 350), False), ((360, 240), True), ((300, 3000), False),
     ((3600, 360), True)],
)  # fmt: skip
def test_where_an_image_was_searched_smaller_than_it_is_the_message_says_so(
    shape, has_hint, capsys
):
    outputs = Outputs(Tables(KEYPOINT_NAMES, None, None))
    reporter = Reporter(outputs, Drawing(), KEYPOINT_NAMES, detect_size=320)
    reporter.record(ImageResult("a.jpg", np.zeros((*shape, 3), np.uint8), []))
    hint = "; small faces need a larger --detect-size than 320" if has_hint else ""
    assert capsys.readouterr().err == f"a.jpg: no face found{hint}\n"


def test_frames_are_records_and_nothing_is_printed(reporter, json_file, image, face, capsys):
    for number, faces in enumerate(([face], [])):
        reporter.record(ImageResult("film.mp4", image, faces, number, number / 25))
    records = [json.loads(line) for line in json_file.getvalue().splitlines()]
    assert [(record["frame"], record["time"]) for record in records] == [(0, 0.0), (1, 0.04)]
    assert capsys.readouterr() == ("", "")


def test_faces_are_not_printed_where_a_table_has_standard_output(image, face, capsys):
    make_reporter(print_faces=False).record(ImageResult("a.jpg", image, [face]))
    assert capsys.readouterr() == ("", "")


def test_crops_are_a_record_each_with_their_number(reporter, json_file, face):
    reporter.record_crops("crops.npy", 96, [5, 8], [face, face])
    records = [json.loads(line) for line in json_file.getvalue().splitlines()]
    assert [(r["frame"], r["width"], len(r["faces"])) for r in records] == [(5, 96, 1), (8, 96, 1)]


@pytest.mark.parametrize("show", [False, True])
def test_faces_are_drawn_as_requested(show, image, face):
    reporter = make_reporter(Drawing(show_names=show, show_errors=show))
    expected = draw(image, [face], show_names=show, show_error=show)
    np.testing.assert_array_equal(reporter.annotate(ImageResult("a.jpg", image, [face])), expected)


def test_faces_are_blurred_as_requested(image, face):
    blurred = make_reporter(Drawing(blur="eyes")).annotate(ImageResult("a.jpg", image, [face]))
    np.testing.assert_array_equal(blurred, hide(image, [face], "eyes"))


def test_aligned_faces_are_named_by_their_track_or_their_position(tmp_path, detect, sample):
    (face,) = detect(sample)
    pixels = np.asarray(Image.open(sample).convert("RGB"))
    aligned = AlignedPaths(tmp_path / "chips", ["a.jpg", "film.mp4"])
    reporter = make_reporter(aligned=aligned, aligned_size=64)
    reporter.record(ImageResult("a.jpg", pixels, [face]))
    reporter.record(ImageResult("film.mp4", pixels, [replace(face, track_id=7)], 12, 0.5))
    names = sorted(path.name for path in (tmp_path / "chips").iterdir())
    assert names == ["a.face-0.png", "film.frame-000012.face-7.png"]
    with Image.open(tmp_path / "chips" / names[0]) as chip:
        assert chip.size == (64, 64)


def test_an_aligned_face_that_cannot_be_written_is_a_failure(tmp_path, image, face, capsys):
    (tmp_path / "chips").write_text("a file, not a folder")
    reporter = make_reporter(aligned=AlignedPaths(tmp_path / "chips", ["a.jpg"]))
    reporter.record(ImageResult("a.jpg", image, [face]))
    assert reporter.failed == 1
    assert capsys.readouterr().err.startswith(f"edge: a.jpg: {tmp_path / 'chips'}: cannot be")


def test_failures_are_counted_and_printed(reporter, capsys):
    reporter.fail("a.jpg: no such file")
    reporter.fail("b.jpg: no such file")
    assert reporter.failed == 2
    assert capsys.readouterr().err == "edge: a.jpg: no such file\nedge: b.jpg: no such file\n"


def test_the_progress_bar_is_erased_for_messages_and_after_the_block(reporter, monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", terminal)
    with reporter.progress("images", 2, "images"):
        reporter.message("hello")
        reporter.advance(2)
    erase = "\r\x1b[K"
    start, message, bar, end = terminal.getvalue().split(erase)
    assert (start, message, end) == ("", "hello\n", "")
    assert bar.startswith("images [########################] 2 of 2 images")
