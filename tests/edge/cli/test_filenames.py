from pathlib import Path

import pytest

from edge.cli.filenames import is_image_name, is_result, is_system_name, is_video_name


@pytest.mark.parametrize(
    ("name", "image", "video"),
    [
        ("a.jpg", True, False),
        ("A.JPEG", True, False),
        ("a.tiff", True, False),
        ("a.jfif", True, False),
        ("a.HEIC", True, False),
        ("a.mp4", False, True),
        ("a.MKV", False, True),
        ("a.MTS", False, True),
        ("a.txt", False, False),
        ("jpg", False, False),
    ],
)
def test_images_and_videos_are_recognised_by_suffix(name, image, video):
    assert (is_image_name(Path(name)), is_video_name(Path(name))) == (image, video)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.keypoints.jpg", True),
        ("a.keypoints.mp4", True),
        ("a.keypoints-12.png", True),
        ("a.face-0.png", True),
        ("film.frame-000012.face-31.png", True),
        ("a.keypoints-x.png", False),
        ("a.keypoints.jpg.png", False),
        ("a.face-0.jpg", False),
        ("keypoints.jpg", False),
        ("face-0.png", False),
    ],
)
def test_a_result_is_recognised_by_its_name(name, expected):
    assert is_result(Path("folder") / name) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("._a.jpg", True),
        (".DS_Store", True),
        ("Thumbs.db", True),
        ("__MACOSX", True),
        ("@eaDir", True),
        ("$RECYCLE.BIN", True),
        ("_a.jpg", False),
        ("a.b.jpg", False),
    ],
)
def test_hidden_and_system_names(name, expected):
    assert is_system_name(name) is expected
