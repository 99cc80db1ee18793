import numpy as np
import pytest

pytest.importorskip("av")

from edge.errors import SourceError
from edge.formats.marks import is_marked
from edge.video.reader import Video
from edge.video.sound import Sound
from edge.video.writer import VideoWriter
from tests.made_videos import add_tone, encode, numbered, numbers

TIMES = [0.0, 0.5, 0.6, 2.0, 4.7]


def write(path, times, rate=30.0, sound=None):
    writer = VideoWriter(path, rate, sound)
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


@pytest.mark.parametrize("suffix", [".avi", ".mpg"])
def test_a_format_without_times_is_resampled(tmp_path, suffix):
    path = tmp_path / f"film{suffix}"
    assert write(path, [0.0, 0.1, 0.4, 0.42], rate=10.0).is_resampled
    # At 0.0, 0.1, … 0.4 s: the second frame is repeated, and the last falls on the one before.
    assert numbers(Video(path).frames()) == [0, 1, 2, 2, 2]


def test_a_steady_film_is_not_resampled(tmp_path):
    assert not write(tmp_path / "film.avi", [0.0, 0.1, 0.2], rate=10.0).is_resampled


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


def sound_of(path):
    """The samples of a file's sound and the time of the first, seconds."""
    import av

    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]), float(frames[0].time)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_sound_is_copied(tmp_path, suffix):
    silent = encode(tmp_path / "silent.mp4", numbered(30), range(0, 2400, 80))
    source = Video(add_tone(silent, tmp_path / "source.mp4", 2.4))
    times = [frame.time for frame in source.frames()]
    writer = write(tmp_path / f"copy{suffix}", times, 25.0, Sound(source))
    assert numbers(Video(writer.path).frames()) == list(range(30))
    samples, start = sound_of(writer.path)
    assert len(samples) / 48000 == pytest.approx(2.4, abs=0.05)
    assert start == pytest.approx(0, abs=0.03)
    crossings = np.sum(np.diff(np.signbit(samples)))  # two in each period of the tone
    assert crossings == pytest.approx(2 * 440 * 2.4, rel=0.03)


def test_sound_of_a_part_is_cut_with_it(tmp_path):
    silent = encode(tmp_path / "silent.mkv", numbered(50), range(700, 2700, 40))
    source = Video(add_tone(silent, tmp_path / "source.mkv", 2.7))
    times = [frame.time for frame in source.frames(start=0.8, stop=1.6)]
    writer = write(tmp_path / "copy.mp4", times, 25.0, Sound(source, stop=1.6))
    samples, _ = sound_of(writer.path)
    assert len(samples) / 48000 == pytest.approx(0.8, abs=0.05)


def test_sound_that_the_format_cannot_hold_is_named(tmp_path):
    silent = encode(tmp_path / "silent.mkv", numbered(10), range(0, 400, 40))
    source = Video(add_tone(silent, tmp_path / "source.mkv", 0.4, codec="flac"))
    sound = Sound(source)
    times = [frame.time for frame in source.frames()]
    write(tmp_path / "copy.webm", times, 25.0, sound)
    assert sound.dropped == ["flac"]
    assert len(list(Video(tmp_path / "copy.webm").frames())) == 10
