import io
import shutil
from itertools import pairwise

import pytest

pytest.importorskip("av")

from edge.video.reader import Video
from edge.video.transport import Recent, is_damaged
from tests.made_videos import add_tone, encode, joined, numbered, numbers

PACKET = 188


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A stream of 30 frames, of which every fifth can be decoded by itself, and sound."""
    folder = tmp_path_factory.mktemp("stream")
    options = {"bf": "2", "g": "5", "preset": "ultrafast"}
    silent = encode(
        folder / "a.ts", noisy(30), range(0, 1200, 40), codec="libx264", options=options
    )
    return add_tone(silent, folder / "film.ts", 1.2)


def noisy(count):
    """`numbered` frames that take several packets each."""
    import numpy as np

    noise = np.random.default_rng(1).integers(-12, 13, (96, 128, 3))
    return [np.clip(image + noise, 0, 255).astype(np.uint8) for image in numbered(count)]


def packets_of(path):
    data = path.read_bytes()
    return [data[i : i + PACKET] for i in range(0, len(data), PACKET)]


def read(path):
    video = Video(path)
    frames = list(video.frames())
    return frames, video.losses


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("suffix", [".ts", ".m2ts"])
def test_joined_streams_lose_no_frame(tmp_path, film, suffix, count):
    part = tmp_path / f"part{suffix}"
    add_tone(film, part, 1.2)
    frames, losses = read(joined(tmp_path / f"film{suffix}", [part] * count))
    assert (losses.read, losses.total) == (30 * count, 30 * count)
    assert numbers(frames) == pytest.approx(list(range(30)) * count, abs=1)
    assert [f.time for f in frames] == pytest.approx([0.04 * n for n in range(30 * count)])


def test_a_joined_stream_without_sound_loses_no_frame(tmp_path):
    part = encode(tmp_path / "part.ts", numbered(8), range(0, 320, 40))
    frames, losses = read(joined(tmp_path / "film.ts", [part] * 4))
    assert losses.total == len(frames) == 32
    assert [frame.time for frame in frames] == pytest.approx([0.04 * n for n in range(32)])


def test_joined_streams_of_other_times_go_on(tmp_path):
    late = encode(tmp_path / "late.ts", numbered(8), range(500_000, 500_320, 40))
    early = encode(tmp_path / "early.ts", numbered(8), range(0, 320, 40))
    frames, losses = read(joined(tmp_path / "film.ts", [late, early]))
    assert losses.total == len(frames) == 16
    times = [0.04 * n for n in range(16)]
    assert [frame.time for frame in frames] == pytest.approx(times, abs=1e-3)


def test_joined_streams_on_standard_input_lose_no_frame(film):
    pipe = io.BytesIO(film.read_bytes() * 2)
    video = Video("-", pipe)
    assert len(list(video.frames())) == video.losses.total == 60


@pytest.mark.parametrize("place", ["within a frame", "at its end", "at its end, before tables"])
def test_a_lost_packet_is_damage_and_its_frame_alone_is_missing(tmp_path, film, place):
    packets = packets_of(film)
    video = packets[5][1] & 0x1F, packets[5][2]
    kinds = [(packet[1] & 0x1F, packet[2]) for packet in packets]
    own = [i for i, kind in enumerate(kinds) if kind == video]
    starts = [i for i in own if packets[i][1] & 0x40]
    frames = [[i for i in own if a <= i < b] for a, b in pairwise(starts[8:])]
    before_tables = [
        frame
        for frame, following in zip(frames, starts[9:], strict=True)
        if (0, 0) in kinds[frame[-1] : following]
    ]
    lost = {
        "within a frame": lambda: next(f[1] for f in frames if len(f) > 3),
        "at its end": lambda: next(f[-1] for f in frames if len(f) > 3),
        "at its end, before tables": lambda: before_tables[0][-1],
    }[place]()
    path = tmp_path / "film.ts"
    path.write_bytes(b"".join(packets[:lost] + packets[lost + 1 :]))
    frames, losses = read(path)
    assert losses.total == 30
    assert losses.read == len(frames) == 29


def test_what_cannot_be_told_is_left_open(film):
    assert is_damaged(io.BytesIO(film.read_bytes()), None) is None
    assert is_damaged(io.BytesIO(b"no transport stream" * 99), 0) is None


def test_the_last_megabytes_of_a_pipe_are_kept(film):
    data = film.read_bytes()
    recent = Recent(io.BytesIO(data))
    while recent.read(1000):
        pass
    around, place = recent.around(1000)
    assert around[place:] == data[1000:]
    assert around[:place] == data[:1000]


def test_a_renamed_copy_of_a_stream_is_read_alike(tmp_path, film):
    shutil.copy(film, tmp_path / "film.bin")
    assert len(read(tmp_path / "film.bin")[0]) == 30
