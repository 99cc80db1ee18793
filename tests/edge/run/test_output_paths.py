import os
from pathlib import Path

import pytest

from edge.errors import SourceError
from edge.run.output_paths import AlignedPaths, AnnotatedPaths, FileSet


def test_a_file_set_contains_its_files_under_any_name(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    os.link(tmp_path / "a", tmp_path / "hard")
    (tmp_path / "soft").symlink_to(tmp_path / "a")
    files = FileSet([tmp_path / "a", tmp_path / "missing"])
    contained = [files.contains(tmp_path / n) for n in ("a", "hard", "soft", "b", "missing")]
    assert contained == [True, True, True, False, False]
    assert not files.contains(Path("x" * 300))  # a name that no file can have


class TestAnnotatedPaths:
    def test_without_an_output_copies_are_beside_their_sources(self, tmp_path):
        paths = AnnotatedPaths([str(tmp_path / "image.jpg")], None, [])
        assert paths.next(str(tmp_path / "image.jpg")) == tmp_path / "image.keypoints.jpg"

    @pytest.mark.parametrize(
        ("source", "is_video", "expected"),
        [
            ("a.gif", False, "a.keypoints.jpg"),
            ("a.PNG", False, "a.keypoints.PNG"),
            ("a.mkv", True, "a.keypoints.mkv"),
            ("a.webm", True, "a.keypoints.mp4"),
            ("-", False, "stdin.keypoints.jpg"),
        ],
    )
    def test_a_copy_has_the_suffix_of_its_source_or_a_common_one(self, source, is_video, expected):
        assert AnnotatedPaths([source], None, []).next(source, is_video) == Path(expected)

    def test_inputs_and_other_outputs_are_not_overwritten(self, tmp_path):
        sources = [str(tmp_path / folder / "x.png") for folder in ("a", "b")]
        sources.append(str(tmp_path / "out" / "x.keypoints.png"))
        paths = AnnotatedPaths(sources, str(tmp_path / "out"), [])
        names = [paths.next(source).name for source in sources]
        assert names == ["x.keypoints-2.png", "x.keypoints-3.png", "x.keypoints.keypoints.png"]

    @pytest.mark.parametrize("output", ["a.jpg", "f.jsonl"])
    def test_an_input_or_a_table_as_output_is_refused(self, output, tmp_path):
        image, table, path = (str(tmp_path / name) for name in ("a.jpg", "f.jsonl", output))
        expected = "is another input or output; choose another output"
        if output == "f.jsonl":
            expected = "unknown suffix '.jsonl'"
        with pytest.raises(SourceError, match=expected):
            AnnotatedPaths([image], path, [table])

    def test_one_file_for_several_sources_is_refused(self):
        with pytest.raises(SourceError, match="cannot hold the annotated images of 2 sources"):
            AnnotatedPaths(["a.jpg", "b.jpg"], "c.jpg", [])

    def test_a_file_of_the_wrong_type_is_refused(self):
        with pytest.raises(SourceError, match=r"a\.mp4: cannot hold an image; use \.jpg or \.png"):
            AnnotatedPaths(["a.jpg"], "a.mp4", []).next("a.jpg")
        with pytest.raises(SourceError, match=r"a\.png: cannot hold a video; use \.mp4 or \.avi"):
            AnnotatedPaths(["a.mp4"], "a.png", []).next("a.mp4", is_video=True)
        with pytest.raises(SourceError, match=r"a\.png: cannot hold a video; use \.mp4 or \.avi"):
            AnnotatedPaths(["camera:0"], "a.png", []).camera_path()

    def test_a_camera_has_an_annotated_video_only_in_a_named_file(self, tmp_path):
        assert AnnotatedPaths(["camera:0"], None, []).camera_path() is None
        assert AnnotatedPaths(["camera:0"], "a.mp4", []).camera_path() == Path("a.mp4")


class TestAlignedPaths:
    def test_faces_of_images_and_frames_have_names_of_their_own(self, tmp_path):
        sources = ["in/a.jpg", "film.mp4", "camera:1", "-"]
        paths = AlignedPaths(tmp_path / "out", sources)
        assert paths.path("in/a.jpg", 0).name == "a.face-0.png"
        assert paths.path("film.mp4", 7, frame=12).name == "film.frame-000012.face-7.png"
        assert paths.path("camera:1", 0, frame=0).name == "camera-1.frame-000000.face-0.png"
        assert paths.path("-", 1) == tmp_path / "out" / "stdin.face-1.png"
        assert (tmp_path / "out").is_dir()

    def test_equal_stems_are_numbered_and_those_of_inputs_avoided(self, tmp_path):
        sources = ["x/a.jpg", "y/a.jpg", str(tmp_path / "a-2.face-0.png")]
        paths = AlignedPaths(tmp_path, sources)
        names = [paths.path(source, 0).name for source in sources]
        assert names == ["a.face-0.png", "a-3.face-0.png", "a-2.face-0.face-0.png"]


def test_standard_output_takes_one_image_and_no_video():
    paths = AnnotatedPaths(["a.jpg"], "-", [])
    assert paths.to_stdout
    for choose in (paths.camera_path, lambda: paths.next("film.mp4", is_video=True)):
        with pytest.raises(SourceError, match="standard output takes an annotated image, no video"):
            choose()
    with pytest.raises(SourceError, match="-: cannot hold the annotated images of 2 sources"):
        AnnotatedPaths(["a.jpg", "b.jpg"], "-", [])


def test_an_image_under_the_name_of_a_video_is_copied_as_an_image(tmp_path):
    paths = AnnotatedPaths([str(tmp_path / "a.mp4"), str(tmp_path / "b.jpg")], None, [])
    assert paths.next(str(tmp_path / "a.mp4")).name == "a.keypoints.jpg"
    assert paths.next(str(tmp_path / "b.jpg"), is_video=True).name == "b.keypoints.mp4"
