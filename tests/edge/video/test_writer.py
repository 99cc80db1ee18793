from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("av")

from edge.errors import SourceError
from edge.formats.marks import is_marked
from edge.video.reader import Video
from edge.video.writer import VideoWriter, mpeg_rate
from tests.made_videos import numbered, numbers

TIMES = [0.0, 0.5, 0.6, 2.0, 4.7]


def write(path, times, rate=30.0):
    writer = VideoWriter(path, rate)
    for image, time in zip(numbered(len(times)), times, strict=True):
        writer.write(image, time)
    writer.close()
    return writer


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".m4v", ".mkv", ".webm", ".ts", ".wmv", ".3gp"])
def test_frames_keep_their_times(tmp_path, suffix):
    path = tmp_path / f"film{suffix}"
    assert not write(path, TIMES).is_resampled
    frames = list(Video(path).frames())
    assert numbers(frames) == [0, 1, 2, 3, 4]
    assert [frame.time for frame in frames] == pytest.approx(TIMES, abs=1e-4)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".avi", ".wmv"])
def test_films_that_are_written_are_marked(tmp_path, suffix):
    path = tmp_path / f"film{suffix}"
    write(path, [number / 30 for number in range(60)])
    assert is_marked(path)


def test_the_first_frame_is_shown_at_once(tmp_path):
    write(tmp_path / "film.mp4", [10.0, 10.5])
    frames = list(Video(tmp_path / "film.mp4").frames())
    assert [frame.time for frame in frames] == pytest.approx([0, 0.5])


@pytest.mark.parametrize("suffix", [".avi", ".ogv"])
def test_a_format_without_times_is_resampled(tmp_path, suffix):
    path = tmp_path / f"film{suffix}"
    assert write(path, [0.0, 0.1, 0.4, 0.42], rate=10.0).is_resampled
    # At 0.0, 0.1, … 0.4 s: the second frame is repeated, and the last falls on the one before.
    video = Video(path)
    assert numbers(video.frames()) == [0, 1, 2, 2, 2]
    assert video.losses.total == 5


@pytest.mark.parametrize("suffix", [".mpg", ".vob"])
def test_a_format_of_few_rates_is_resampled_to_the_most_even_one(tmp_path, suffix):
    writer = write(tmp_path / f"film{suffix}", [0.0, 0.08, 0.16], rate=12.5)
    assert (writer.rate, writer.is_resampled) == (25.0, True)
    frames = list(Video(writer.path).frames())
    assert numbers(frames) == [0, 1, 1, 2, 2]
    assert [frame.time for frame in frames] == pytest.approx([0.04 * n for n in range(5)])


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(10, 30), (29.97, 29.97), (23.976, 23.976), (12, 24), (100, 60), (1, 24), (60, 60)],
)
def test_mpeg_rates_repeat_each_frame_as_often_as_the_next(rate, expected):
    assert float(mpeg_rate(Fraction(rate))) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("suffix", [".avi", ".ogv", ".mpg", ".vob"])
@pytest.mark.parametrize("rate", [25.0, 30000 / 1001])
def test_a_steady_film_keeps_its_times_in_formats_without_them(tmp_path, suffix, rate):
    writer = write(tmp_path / f"film{suffix}", [n / rate for n in range(12)], rate)
    assert not writer.is_resampled
    frames = list(Video(writer.path).frames())
    assert numbers(frames) == list(range(12))
    assert [frame.time for frame in frames] == pytest.approx(
        [n / rate for n in range(12)], abs=1e-4
    )


def test_a_format_that_refuses_the_codec_is_said_without_the_temporary_name(tmp_path):
    writer = VideoWriter(tmp_path / "film.mxf", 10)
    with pytest.raises(SourceError, match=r"film\.mxf: cannot be written as a video; try \.mp4"):
        writer.write(numbered(1)[0])
    writer.abandon()
    assert list(tmp_path.iterdir()) == []


def test_a_film_of_odd_sides_loses_no_row(tmp_path):
    writer = VideoWriter(tmp_path / "odd.mp4", 10)
    picture = np.full((49, 63, 3), 30, np.uint8)
    picture[-4:], picture[:, -4:] = 220, 220
    for _ in range(3):
        writer.write(picture)
    writer.close()
    read = next(Video(tmp_path / "odd.mp4").frames()).image
    assert read.shape == (50, 64, 3)
    assert read[-3:].min() > 150


def test_an_abandoned_film_leaves_nothing(tmp_path):
    writer = VideoWriter(tmp_path / "film.mp4", 10)
    writer.write(numbered(1)[0])
    writer.abandon()
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_is_said(tmp_path):
    writer = VideoWriter(tmp_path / "film.xyz", 10)
    with pytest.raises(SourceError, match=r"film\.xyz: cannot be written as a video"):
        writer.write(numbered(1)[0])
    writer.abandon()
    assert list(tmp_path.iterdir()) == []
