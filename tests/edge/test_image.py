import io
import struct
import threading
import warnings

import numpy as np
import pytest
from PIL import Image

from edge.errors import ImageError, SourceError
from edge.image import MAX_PIXELS, load_grey, load_image, to_grey


def encode(image, form="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


@pytest.fixture
def colours(rng):
    return rng.integers(0, 256, size=(20, 30, 3)).astype(np.uint8)


def test_a_path_bytes_a_pillow_image_and_an_array_give_the_same(colours, tmp_path):
    image = Image.fromarray(colours)
    path = tmp_path / "p.png"
    image.save(path)
    for source in (path, str(path), path.read_bytes(), image, colours):
        np.testing.assert_array_equal(load_image(source), colours)


def test_grey_becomes_three_equal_channels():
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    for source in (grey, encode(Image.fromarray(grey))):
        np.testing.assert_array_equal(load_image(source), np.repeat(grey[..., None], 3, axis=2))
    np.testing.assert_array_equal(to_grey(load_image(grey)), grey)


def test_grey_is_bt601_luma():
    primaries = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    assert to_grey(primaries).tolist() == [[76, 150, 29, 255]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation):
    upright = np.zeros((8, 6, 3), np.uint8)
    upright[0, 0] = 255
    # How the camera stored it, so that this orientation turns it upright (EXIF 2.32, 4.6.4).
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
        5: upright.swapaxes(0, 1), 6: np.rot90(upright), 7: np.rot90(upright, 2).swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(Image.fromarray(np.ascontiguousarray(stored)), exif=exif)
    np.testing.assert_array_equal(load_image(data), upright)


def test_16_bit_grey_is_scaled_not_clipped():
    deep = np.array([[0, 257, 32896, 65535]], np.uint16)
    data = encode(Image.fromarray(deep))
    assert load_image(data)[0, :, 0].tolist() == [0, 1, 128, 255]


def test_floating_point_grey_is_scaled():
    values = np.array([[0.0, 0.5, 1.0]], np.float32)
    assert load_image(encode(Image.fromarray(values), "TIFF"))[0, :, 0].tolist() == [0, 128, 255]


def test_transparent_parts_become_white():
    rgba = np.array([[[10, 20, 30, 0], [10, 20, 30, 255]]], np.uint8)
    loaded = load_image(encode(Image.fromarray(rgba)))
    assert loaded.tolist() == [[[255, 255, 255], [10, 20, 30]]]


def test_a_palette_gif_keeps_its_colours_and_only_the_first_frame_counts():
    red, blue = (Image.new("RGB", (4, 4), colour).quantize(4) for colour in ("red", "blue"))
    data = encode(red, "GIF", save_all=True, append_images=[blue])
    assert (load_image(data) == [255, 0, 0]).all()


def test_cmyk_jpeg_is_converted():
    data = encode(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=100)
    r, g, b = load_image(data)[8, 8].tolist()
    assert r > 240
    assert g < 15
    assert b < 15


def test_a_jpeg_cut_off_halfway_is_refused(sample, tmp_path):
    path = tmp_path / "half.jpg"
    path.write_bytes(sample.read_bytes()[:30000])
    with pytest.raises(ImageError, match=r"half\.jpg: cannot be decoded \(.*truncated"):
        load_image(path)


def test_text_named_jpg_is_refused(tmp_path):
    path = tmp_path / "text.jpg"
    path.write_text("hello, I am no picture\n" * 10)
    with pytest.raises(ImageError, match=r"text\.jpg: not an image in any known format"):
        load_image(path)


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "empty.jpg"
    path.touch()
    with pytest.raises(ImageError, match="0 bytes"):
        load_image(path)


def test_a_directory_and_a_missing_path_are_source_errors(tmp_path):
    with pytest.raises(SourceError, match="is a directory"):
        load_image(tmp_path)
    with pytest.raises(SourceError, match=r"none\.jpg: no such file"):
        load_image(tmp_path / "none.jpg")


def test_a_picture_that_would_fill_memory_is_refused_from_its_header():
    side = int(MAX_PIXELS**0.5) + 1
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    import zlib

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    with pytest.raises(ImageError, match=r"pixels"):
        load_image(data)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 5), np.uint8),
        np.zeros((4, 4, 3), np.uint16),
        np.zeros(4, np.uint8),
        np.zeros((0, 4), np.uint8),
    ],
)
def test_arrays_of_another_form_are_refused(array):
    with pytest.raises(ImageError, match="shape"):
        load_image(array)


def test_other_types_are_refused():
    with pytest.raises(ImageError, match="received int"):
        load_image(5)


def test_an_open_file_is_read_from_where_it_is(sample):
    with sample.open("rb") as file:
        np.testing.assert_array_equal(load_image(file), load_image(sample))
    with sample.open(encoding="latin-1") as file, pytest.raises(ImageError, match="with 'rb'"):
        load_image(file)


def test_a_program_is_not_run(tmp_path):
    path = tmp_path / "a.eps"
    Image.new("RGB", (8, 8)).save(path)
    with pytest.raises(ImageError, match="EPS is a program"):
        load_image(path)


def test_the_grey_of_a_file_is_the_grey_of_its_colours(sample, colours, tmp_path, rng):
    deep = Image.fromarray(rng.integers(0, 65536, (20, 30)).astype(np.uint16))
    clear = Image.fromarray(rng.integers(0, 256, (20, 30, 4)).astype(np.uint8))
    arrays = [colours, rng.integers(0, 256, (20, 30)).astype(np.uint8)]
    for source in (sample, sample.read_bytes(), deep, clear, *arrays):
        np.testing.assert_array_equal(load_grey(source), to_grey(load_image(source)))


@pytest.mark.parametrize("load", [load_image, load_grey])
def test_a_picture_wider_than_a_strip_is_whole(load, rng):
    wide = rng.integers(0, 256, (3, 70_000)).astype(np.uint8)
    pixels = load(Image.fromarray(wide))
    np.testing.assert_array_equal(pixels if pixels.ndim == 2 else pixels[..., 1], wide)


@pytest.mark.parametrize("error", [RuntimeError, AssertionError, UnboundLocalError, RecursionError])
@pytest.mark.parametrize("moment", ["open", "load"])
def test_whatever_a_decoder_raises_is_an_image_error(error, moment, colours, monkeypatch):
    from PIL import PngImagePlugin

    def fail(*_):
        raise error("Missing or empty image item")

    name = "_open" if moment == "open" else "load"
    monkeypatch.setattr(PngImagePlugin.PngImageFile, name, fail)
    with pytest.raises(ImageError, match=r"bytes: cannot be decoded \(Missing or empty image item"):
        load_image(encode(Image.fromarray(colours)))


@pytest.mark.parametrize("size", [(4, 5, 6), (4,), None, (-4, -5), ("4", 5), (0, 5)])
def test_a_size_that_no_image_has_is_an_image_error(size, colours, monkeypatch):
    from PIL import PngImagePlugin

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "size", size)
    with pytest.raises(ImageError):
        load_image(encode(Image.fromarray(colours)))


def test_a_video_and_a_macs_metadata_are_named(tmp_path):
    for name, head, words in (
        ("._a.JPG", b"\x00\x05\x16\x07\0\2\0\0", r"\._a\.JPG: is the metadata .*AppleDouble"),
        ("a.jpg", b"\0\0\0\x14ftypisom\0\0\2\0mp41", r"a\.jpg: a video, not an image"),
    ):
        (tmp_path / name).write_bytes(head)
        with pytest.raises(ImageError, match=words):
            load_image(tmp_path / name)


def test_loading_in_threads_leaves_the_callers_warnings_alone(sample):
    before = list(warnings.filters)
    seen = []

    def load():
        for _ in range(8):
            load_grey(sample)
            seen.append(list(warnings.filters) == before)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before
    assert all(seen)


def damaged_exif():
    """A JPEG image whose EXIF block ends before its last entry."""
    exif = Image.Exif()
    exif[0x010F] = "a camera with a long name"
    data = exif.tobytes()
    return encode(Image.new("L", (8, 8), 77), "JPEG", exif=data[:-20])


def test_pillows_warnings_reach_the_caller_as_warnings_and_as_errors():
    with pytest.warns(UserWarning, match="Truncated File Read"):
        assert (load_grey(damaged_exif()) == 77).all()
    with pytest.raises(ImageError, match="Truncated File Read"):  # the tests make warnings errors
        load_grey(damaged_exif())
