import os
from pathlib import Path

import pytest

from edge.cli.folders import Skipped, list_folder, list_pattern


def write(*paths):
    for path in map(Path, paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def found(folder, recursive=True):
    listing = list_folder(Path(folder), recursive)
    return [path.as_posix() for path in listing.files], listing.skipped.messages(folder)


@pytest.fixture(autouse=True)
def in_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_files_are_sorted_and_subfolders_are_searched_if_asked():
    write("in/b.jpg", "in/a.jpg", "in/deep/c.jpg")
    assert found("in") == (["in/a.jpg", "in/b.jpg", "in/deep/c.jpg"], [])
    assert found("in", recursive=False) == (["in/a.jpg", "in/b.jpg"], [])
    assert list_folder(Path("in"), recursive=False).subfolders == 1


def test_hidden_and_system_files_and_results_are_skipped_and_said():
    write("in/a.jpg", "in/._a.jpg", "in/@eaDir/a.jpg", "in/a.keypoints.jpg", "in/f/a.face-0.png")
    files, messages = found("in")
    assert files == ["in/a.jpg"]
    assert messages == [
        "in: skipped hidden or system files: ._a.jpg, @eaDir",
        "in: skipped results of an earlier run: a.keypoints.jpg, a.face-0.png",
    ]


def test_a_message_names_three_files_and_counts_the_others():
    skipped = Skipped()
    for number in range(1005):
        skipped.add("files", Path(f"in/{number}"))
    assert skipped.messages("in") == ["in: skipped files: 0, 1, 2 and 1,002 more"]


def test_a_linked_folder_is_followed():
    write("disk/a.jpg", "in/b.jpg")
    os.symlink("../disk", "in/link")
    assert found("in") == (["in/b.jpg", "in/link/a.jpg"], [])


def test_a_folder_is_listed_once_by_its_path_without_a_link():
    write("in/z/a.jpg")
    os.symlink("z", "in/a-link")
    os.symlink("../in/z", "in/other")
    files, messages = found("in")
    assert files == ["in/z/a.jpg"]
    assert messages == [
        "in: skipped links to folders that are searched already: a-link, other"
    ]  # fmt: skip


def test_two_links_to_one_folder_outside_list_it_once():
    write("disk/a.jpg", "in/b.jpg")
    os.symlink("../disk", "in/m")
    os.symlink("../disk", "in/n")
    assert found("in")[0] == ["in/b.jpg", "in/m/a.jpg"]


def test_loops_of_links_end():
    write("in/deep/a.jpg")
    os.symlink("..", "in/deep/up")
    os.symlink(".", "in/self")
    files, messages = found("in")
    assert files == ["in/deep/a.jpg"]
    assert messages == ["in: skipped links to folders that are searched already: self, up"]


def test_loops_through_linked_folders_end():
    write("one/a.jpg", "two/b.jpg")
    os.symlink("../two", "one/two")
    os.symlink("../one", "two/one")
    assert found("one")[0] == ["one/a.jpg", "one/two/b.jpg"]


def test_links_to_nothing_and_pipes_are_skipped_and_said():
    write("in/a.jpg")
    os.symlink("gone.jpg", "in/broken.jpg")
    os.symlink("circle.jpg", "in/circle.jpg")
    os.mkfifo("in/pipe.jpg")
    files, messages = found("in")
    assert files == ["in/a.jpg"]
    assert messages == [
        "in: skipped links to nothing: broken.jpg, circle.jpg",
        "in: skipped neither files nor folders: pipe.jpg",
    ]


def test_a_linked_file_is_a_file():
    write("disk/a.jpg", "in/b.jpg")
    os.symlink("../disk/a.jpg", "in/c.jpg")
    assert found("in")[0] == ["in/b.jpg", "in/c.jpg"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may enter all")
def test_a_folder_that_cannot_be_read_is_a_problem():
    write("in/a.jpg", "in/locked/b.jpg")
    Path("in/locked").chmod(0)
    try:
        listing = list_folder(Path("in"), recursive=True)
    finally:
        Path("in/locked").chmod(0o700)
    assert listing.problems == ["in/locked: Permission denied"]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("in/*.jpg", ["in/a.jpg"]),
        ("in/**/*.jpg", ["in/a.jpg", "in/deep/b.jpg", "in/deep/er/c.jpg"]),
        ("in/**/er/*", ["in/deep/er/c.jpg"]),
        ("in/d*/**/[bc].jpg", ["in/deep/b.jpg", "in/deep/er/c.jpg"]),
        ("*/deep/?.jpg", ["in/deep/b.jpg"]),
        ("in/**", ["in/a.jpg", "in/deep/b.jpg", "in/deep/er/c.jpg"]),
        ("none/**/*.jpg", []),
    ],
)
def test_a_pattern_lists_what_it_matches_and_links_in_circles_end(pattern, names):
    write("in/a.jpg", "in/deep/b.jpg", "in/deep/er/c.jpg", "in/deep/.hidden.jpg")
    os.symlink("..", "in/deep/up")
    os.symlink("../..", "in/deep/er/up")
    os.symlink("..", "in/deep/er/up2")
    listing = list_pattern(pattern, recursive=True)
    assert [path.as_posix() for path in listing.files] == names


def test_two_stars_are_one_without_recursion():
    write("in/a.jpg", "in/deep/b.jpg", "in/deep/er/c.jpg")
    assert list_pattern("in/**/*.jpg", recursive=False).files == [Path("in/deep/b.jpg")]
