import os
import shutil
import sys
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("av")

from edge.errors import MissingExtra, SourceError
from edge.video.reader import Video
from edge.video.writer import VideoWriter
from tests.made_videos import (
    MATRICES,
    add_tone,
    encode,
    joined,
    numbered,
    numbers,
    quarters,
    set_display_matrix,
)


@pytest.fixture
def film(tmp_path):
    writer = VideoWriter(tmp_path / "film.avi", 20.0)
    for picture in numbered(30):
        writer.write(picture)
    writer.close()
    return tmp_path / "film.avi"


def test_a_written_film_is_read_with_its_rate_and_length(film):
    video = Video(film)
    assert (video.rate, video.count) == (20.0, 30)
    frames = list(video.frames())
    assert numbers(frames) == list(range(30))
    assert [frame.number for frame in frames] == list(range(30))
    assert frames[10].time == pytest.approx(0.5)
    assert frames[0].image.shape == (96, 128, 3)


def test_a_part_of_a_film_and_every_few_frames(film):
    assert numbers(Video(film).frames(every=7)) == [0, 7, 14, 21, 28]
    assert numbers(Video(film).frames(start=0.5, stop=0.75)) == [10, 11, 12, 13, 14]
    assert numbers(Video(film).frames(every=4, start=1.0)) == [20, 24, 28]


def test_a_start_after_the_end_is_said(film):
    with pytest.raises(SourceError, match=r"ends after 1\.5 s, before --start 100"):
        list(Video(film).frames(start=100))


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30000, 1001), Fraction(24000, 1001)])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_steady_rates_give_each_frame_its_time(tmp_path, rate, suffix):
    unit = 1 / rate
    path = encode(tmp_path / f"film{suffix}", numbered(30), range(30), unit)
    # Matroska rounds times to milliseconds.
    tolerance = 1e-9 if suffix == ".mp4" else 5.1e-4
    expected = [float(number * unit) for number in range(30)]
    assert [f.time for f in Video(path).frames()] == pytest.approx(expected, abs=tolerance)


STAMPS = [0, 33, 67, 1200, 1210, 1600, 3000, 3033, 4800, 4833]  # ms: as a screen recorder's


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_at_a_variable_rate_each_frame_has_its_time(tmp_path, suffix):
    codec = "libvpx" if suffix == ".webm" else "mpeg4"
    path = encode(tmp_path / f"film{suffix}", numbered(10), STAMPS, codec=codec)
    assert [f.time * 1000 for f in Video(path).frames()] == pytest.approx(STAMPS)
    selected = list(Video(path).frames(start=1.205, stop=4.8))
    assert [frame.number for frame in selected] == [4, 5, 6, 7]
    assert numbers(selected) == [4, 5, 6, 7]


@pytest.mark.parametrize("suffix", [".mkv", ".ts", ".mp4"])
def test_b_frames_and_a_first_time_after_0_change_no_time(tmp_path, suffix):
    pytest.importorskip("av")
    options = {"bf": "2", "g": "12"}
    stamps = [700 + 40 * number for number in range(20)]
    path = encode(tmp_path / f"film{suffix}", numbered(20), stamps, options=options)
    video = Video(path)
    frames = list(video.frames())
    assert numbers(frames) == list(range(20))
    assert video.losses.total == 20
    assert [frame.time for frame in frames] == pytest.approx([0.04 * n for n in range(20)])
    assert numbers(Video(path).frames(start=0.2, stop=0.4)) == [5, 6, 7, 8, 9]


@pytest.mark.parametrize("name", list(MATRICES))
def test_a_film_is_read_as_players_show_it(tmp_path, name):
    path = encode(tmp_path / "film.mp4", [quarters()] * 3, [0, 40, 80])
    set_display_matrix(path, MATRICES[name])
    # The greys of the quarters in reading order, from the way each matrix moves a corner.
    expected = {
        "90": (80, 250, 0, 170), "180": (0, 80, 170, 250), "270": (170, 0, 250, 80),
        "mirrored": (170, 250, 0, 80), "mirrored upside down": (80, 0, 250, 170),
        "transposed": (250, 80, 170, 0), "anti-transposed": (0, 170, 80, 250),
    }[name]  # fmt: skip
    sideways = name in ("90", "270", "transposed", "anti-transposed")
    for frame in Video(path).frames():
        assert frame.image.shape == ((128, 96, 3) if sideways else (96, 128, 3))
        height, width = frame.image.shape[:2]
        found = [
            frame.image[row, column].mean()
            for row in (height // 4, height * 3 // 4)
            for column in (width // 4, width * 3 // 4)
        ]
        assert found == pytest.approx(expected, abs=12)


@pytest.mark.parametrize(
    ("shape", "matrix", "size"),
    [
        (Fraction(2), None, (96, 256, 3)),
        (Fraction(1, 2), None, (192, 128, 3)),
        (Fraction(2), MATRICES["90"], (256, 96, 3)),  # pixels are shaped before they are turned
    ],
)
def test_pixels_that_are_not_square_become_square(tmp_path, shape, matrix, size):
    path = encode(tmp_path / "film.mp4", [quarters()] * 2, [0, 40], shape=shape)
    if matrix:
        set_display_matrix(path, matrix)
    assert [frame.image.shape for frame in Video(path).frames()] == [size, size]


def test_colours_keep_their_order(tmp_path):
    writer = VideoWriter(tmp_path / "red.avi", 10)
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 230
    writer.write(red)
    writer.close()
    (frame,) = Video(tmp_path / "red.avi").frames()
    assert frame.image[32, 32, 0] > 180
    assert frame.image[32, 32, 2] < 60


def test_what_is_no_video_is_said(tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "empty.mp4").touch()
    for name in ("text.mp4", "empty.mp4"):
        with pytest.raises(SourceError, match="cannot be opened as a video"):
            Video(tmp_path / name)
    with pytest.raises(SourceError, match="no such file"):
        Video(tmp_path / "none.mp4")


def test_a_film_in_an_unknown_format_is_said(tmp_path):
    path = tmp_path / "a.mkv"
    encode(path, numbered(3), [0, 40, 80])
    path.write_bytes(path.read_bytes().replace(b"V_MPEG4", b"V_XPEG4"))
    with pytest.raises(SourceError, match=r"a\.mkv: the format of its video stream is unknown"):
        Video(path)


@pytest.mark.parametrize("name", ["2024-05-01T10:20:30.mp4", "100%d.mp4", "http:x.mp4", "ä\n'.mp4"])
def test_names_are_no_addresses_and_no_patterns(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    encode(tmp_path / "film.mp4", numbered(3), [0, 40, 80])
    os.rename("film.mp4", name)
    assert numbers(Video(name).frames()) == [0, 1, 2]


@pytest.mark.skipif(sys.platform != "linux", reason="names are valid text there")
def test_a_name_that_is_not_utf_8_is_read_and_written(tmp_path):
    encode(tmp_path / "film.mp4", numbered(3), [0, 40, 80])
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4")
    shutil.copy(tmp_path / "film.mp4", name)
    assert numbers(Video(name).frames()) == [0, 1, 2]


def test_texts_in_another_encoding_are_no_error(film):
    content = film.read_bytes()
    film.write_bytes(content.replace(b"edge-keypoints", b"\xe9dge-keypoint\xe9"))
    assert film.read_bytes() != content
    assert numbers(Video(film).frames(stop=0.1)) == [0, 1]


PLAY_LISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfilm.ts\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile film.mp4\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "m=video 5004 RTP/AVP 33\n",
}


@pytest.mark.parametrize("kind", list(PLAY_LISTS))
def test_a_file_leads_to_no_other_file_and_no_address(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    encode(tmp_path / "film.mp4", numbered(3), [0, 40, 80])
    (tmp_path / "list.mp4").write_text(PLAY_LISTS[kind])
    with pytest.raises(SourceError, match="cannot be opened as a video"):
        Video("list.mp4")


def read_all(path):
    video = Video(path)
    return numbers(video.frames()), video.losses


def test_a_whole_film_has_no_losses(tmp_path):
    path = encode(tmp_path / "film.mp4", numbered(30), range(0, 1200, 40), options={"bf": "2"})
    read, losses = read_all(path)
    assert (len(read), losses.read, losses.total) == (30, 30, 30)


@pytest.mark.parametrize("suffix", [".avi", ".mkv", ".webm", ".wmv", ".flv"])
@pytest.mark.parametrize("share", [0.4, 0.8])
def test_a_film_that_is_cut_gives_what_it_has_and_counts_the_rest(tmp_path, suffix, share):
    codec = {".avi": "mjpeg", ".webm": "libvpx", ".flv": "flv"}.get(suffix, "mpeg4")
    path = tmp_path / f"film{suffix}"
    noisy = list(np.random.default_rng(1).integers(0, 256, (60, 96, 128, 3), np.uint8))
    encode(path, noisy, range(60), Fraction(1, 30), codec)
    data = path.read_bytes()
    path.write_bytes(data[: round(len(data) * share)])
    video = Video(path)
    read = sum(1 for _ in video.frames())
    assert read == pytest.approx(60 * share, abs=8)
    assert video.losses.read == read
    assert video.losses.total == pytest.approx(60, abs=1)


MPEG = (".mpg", ".m2v", ".gxf", ".mxf", ".wtv")
CODECS = {".flv": "flv", ".webm": "libvpx", ".ivf": "libvpx", ".ogv": "libvpx", ".rm": "rv20",
          ".dv": "dvvideo", ".3gp": "h263", **dict.fromkeys(MPEG, "mpeg2video")}  # fmt: skip
SIZES = {".gxf": (576, 720), ".dv": (576, 720), ".3gp": (288, 352), ".rm": (288, 352)}  # allowed
OF_50_FIELDS = (".gxf", ".dv")


@pytest.mark.parametrize(
    "suffix",
    [".mp4", ".mov", ".mkv", ".avi", ".wmv", ".ts", ".nut", *CODECS],
)
def test_no_undamaged_film_is_called_cut(tmp_path, suffix):
    rate = 25 if suffix in OF_50_FIELDS else 30
    frames = numbered(30, SIZES.get(suffix, (96, 128)))
    path = tmp_path / f"film{suffix}"
    encode(path, frames, range(30), Fraction(1, rate), CODECS.get(suffix, "mpeg4"))
    video = Video(path)
    found = list(video.frames())
    assert (len(found), video.losses.total) == (30, 30)
    # Of small frames .mpg holds few times; others round to fields or milliseconds.
    tolerance = {".mpg": 0.034, ".gxf": 0.021, ".rm": 1.1e-3}.get(suffix, 6e-4)
    expected = [n / rate for n in range(30)]
    assert [frame.time for frame in found] == pytest.approx(expected, abs=tolerance)


def test_an_avi_that_was_written_to_a_pipe_is_not_called_cut(tmp_path):
    """Its header has a placeholder for the number of frames."""
    import av

    with (tmp_path / "film.avi").open("wb") as file:
        pipe = SimpleNamespace(write=file.write)
        with av.open(pipe, "w", format="avi") as container:
            stream = container.add_stream("mpeg4", rate=25)
            stream.height, stream.width, stream.pix_fmt = 96, 128, "yuv420p"
            for image in numbered(20):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(stream.encode(None))
    video = Video(tmp_path / "film.avi")
    assert video.count == 0
    assert len(list(video.frames())) == video.losses.total == 20


def test_a_file_of_sound_alone_is_said(tmp_path):
    import av

    silent = encode(tmp_path / "film.mkv", numbered(3), [0, 40, 80])
    path = add_tone(silent, tmp_path / "sound.mkv", 0.3)
    with av.open(str(path)) as source, av.open(str(tmp_path / "alone.mp4"), "w") as container:
        copy = container.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = copy
                container.mux(packet)
    with pytest.raises(SourceError, match=r"alone\.mp4: has no video, only sound"):
        Video(tmp_path / "alone.mp4")


@pytest.mark.parametrize("name", ["film.ogv", "film.mjpeg", "film.ts"])
def test_joined_files_in_other_formats_lose_no_frame(tmp_path, name):
    codec = {"film.ogv": "libvpx", "film.mjpeg": "mjpeg"}.get(name, "mpeg4")
    part = encode(tmp_path / f"part-{name}", numbered(10), range(10), Fraction(1, 30), codec)
    video = Video(joined(tmp_path / name, [part] * 3))
    times = [frame.time for frame in video.frames()]
    assert video.losses.total == len(times) == 30
    assert np.diff(times) == pytest.approx(np.diff(times)[0], abs=2e-3)


def test_the_times_of_an_avi_with_b_frames_are_steady(tmp_path):
    path = encode(tmp_path / "film.avi", numbered(30), range(30), Fraction(1, 25), "libx264",
                  {"bf": "3"})  # fmt: skip
    frames = list(Video(path).frames())
    assert numbers(frames) == pytest.approx(list(range(30)), abs=1)
    assert [frame.time for frame in frames] == pytest.approx([n / 25 for n in range(30)])


def test_damage_in_the_middle_is_counted(tmp_path):
    path = tmp_path / "film.mp4"
    noisy = list(np.random.default_rng(1).integers(0, 256, (60, 96, 128, 3), np.uint8))
    encode(path, noisy, range(60), Fraction(1, 30), "libx264", {"g": "10", "preset": "ultrafast"})
    data = bytearray(path.read_bytes())
    half = len(data) // 2
    data[half : half + 20_000] = bytes(20_000)
    path.write_bytes(data)
    video = Video(path)
    read = sum(1 for _ in video.frames())
    assert 40 <= read < 60
    assert (video.losses.read, video.losses.total) == (read, 60)


def test_reading_a_part_of_a_film_is_no_loss(film):
    video = Video(film)
    assert numbers(video.frames(stop=0.5)) == list(range(10))
    assert video.losses.total == video.losses.read


def test_a_film_with_sound_is_read_alike(tmp_path):
    silent = encode(tmp_path / "film.mp4", numbered(20), range(0, 800, 40))
    read, losses = read_all(add_tone(silent, tmp_path / "sound.mp4", 0.8))
    assert read == list(range(20))
    assert losses.total == 20


def test_without_pyav_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtra, match=r"edge-keypoints\[video\]"):
        Video("film.mp4")
