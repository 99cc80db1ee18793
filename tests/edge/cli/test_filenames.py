from pathlib import Path

import pytest

from edge.cli.filenames import is_annotated_copy, is_image, is_video


@pytest.mark.parametrize(
    ("name", "image", "video"),
    [
        ("a.jpg", True, False),
        ("A.JPEG", True, False),
        ("a.tiff", True, False),
        ("a.mp4", False, True),
        ("a.MKV", False, True),
        ("a.txt", False, False),
        ("jpg", False, False),
        ("a.keypoints.jpg", False, False),
        ("a.keypoints.mp4", False, False),
        ("keypoints.jpg", True, False),
    ],
)
def test_images_and_videos_are_recognised_by_suffix_without_annotated_copies(name, image, video):
    assert (is_image(Path(name)), is_video(Path(name))) == (image, video)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.keypoints.jpg", True),
        ("a.keypoints-12.png", True),
        ("a.keypoints-x.png", False),
        ("a.keypoints.jpg.png", False),
        ("keypoints.jpg", False),
    ],
)
def test_an_annotated_copy_is_recognised_by_its_name(name, expected):
    assert is_annotated_copy(Path("folder") / name) is expected
