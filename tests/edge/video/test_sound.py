from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("av")

from edge.video.clock import Clock
from edge.video.reader import Video
from edge.video.sound import Sound, SoundClock
from edge.video.writer import VideoWriter
from tests.made_videos import add_tone, encode, joined, numbered, numbers


def write(path, times, rate, sound):
    writer = VideoWriter(path, rate, sound)
    for image, time in zip(numbered(len(times)), times, strict=True):
        writer.write(image, time)
    writer.close()
    return writer


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


@pytest.mark.parametrize(
    ("codec", "source", "copy"),
    [("aac", ".mp4", ".ts"), ("mp2", ".ts", ".mpg"), ("libopus", ".webm", ".ogv")],
)
def test_sound_goes_into_formats_of_which_ffmpeg_lists_no_codecs(tmp_path, codec, source, copy):
    film = {"options": {}, "codec": "libvpx" if source == ".webm" else "mpeg4"}
    silent = encode(tmp_path / f"silent{source}", numbered(25), range(0, 1000, 40), **film)
    video = Video(add_tone(silent, tmp_path / f"source{source}", 1.0, codec))
    sound = Sound(video)
    write(tmp_path / f"copy{copy}", [f.time for f in video.frames()], 25.0, sound)
    assert sound.dropped == []
    samples, _ = sound_of(tmp_path / f"copy{copy}")
    assert len(samples) / 48000 == pytest.approx(1.0, abs=0.06)


def test_sound_stays_with_the_frames_of_joined_files(tmp_path):
    """In each part the tone begins with the film, and ends after half of it."""
    silent = encode(tmp_path / "silent.ts", numbered(30), range(0, 1200, 40))
    part = add_tone(silent, tmp_path / "part.ts", 0.6)
    video = Video(joined(tmp_path / "film.ts", [part] * 3))
    times = [frame.time for frame in video.frames()]
    assert times == pytest.approx([0.04 * n for n in range(90)])
    write(tmp_path / "copy.mkv", times, 25.0, Sound(video))
    import av

    with av.open(str(tmp_path / "copy.mkv")) as container:
        starts = [
            packet.pts / 1000 for packet in container.demux(audio=0) if packet.pts is not None
        ]
    gaps = [(a, b) for a, b in pairwise(starts) if b - a > 0.2]
    assert [end for _, end in gaps] == pytest.approx([1.2, 2.4], abs=0.05)
    assert len(starts) == pytest.approx(3 * 0.6 * 48000 / 1024, abs=6)


def test_sound_waits_for_the_frames_at_a_joint():
    frames = Clock(0.04)
    for stamp in (1400, 1440, 1480):
        frames.seconds(stamp, Fraction(1, 1000))
    sound, tenth = SoundClock(frames, None), Fraction(1, 10)
    for n in range(14, 25):
        assert sound.shift(n * tenth, tenth, is_last=False) == Fraction(-7, 5)
    assert sound.shift(14 * tenth, tenth, is_last=False) is None
    frames.seconds(2360, Fraction(1, 1000))
    frames.seconds(1400, Fraction(1, 1000))  # shown at 1.0 s
    assert float(sound.shift(14 * tenth, tenth, is_last=False)) == pytest.approx(-0.4)


def test_sound_whose_frames_are_missing_follows_what_was_before():
    frames = Clock(0.04)
    frames.seconds(0, Fraction(1, 1000))
    sound = SoundClock(frames, None)
    assert sound.shift(Fraction(5), Fraction(1), is_last=True) == 0
    assert sound.shift(Fraction(1), Fraction(1), is_last=True) == 5
