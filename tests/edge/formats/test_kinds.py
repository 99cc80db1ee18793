import io
import sys
import types

import pytest
from PIL import Image

from edge.formats.kinds import describe, is_heif, kind_of

# First bytes as the specifications of the formats give them, or as files of cameras begin.
MP4 = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41"
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
AVIF = b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf"
PACKET = b"\x47\x40\0\x10" + bytes(184)
OGG = b"OggS\0\2" + bytes(22)


def encode(form):
    file = io.BytesIO()
    Image.new("L", (16, 16), 90).save(file, form)
    return file.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "ICO"])
@pytest.mark.parametrize("suffix", ["", ".mp4", ".txt"])
def test_an_image_is_one_under_any_name(form, suffix):
    assert kind_of(encode(form), f"a{suffix}") == "image"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (MP4, "video"),
        (b"\0\0\0\x14ftypqt  \0\0\2\0qt  ", "video"),
        (b"\0\0\0\x08wide\0\0\1\0mdat", "video"),
        (b"\0\0\0\x14ftyp3gp5\0\0\0\x003gp5", "video"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\1", "video"),
        (b"RIFF\0\0\1\0AVI LIST", "video"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9", "video"),
        (b"FLV\1\5\0\0\0\x09", "video"),
        (b"\0\0\1\xba\x44\0\4\0", "video"),
        (b"\0\0\1\xb3\x16\0\xf0\x15", "video"),
        (b"\0\0\1\xb0\1\0\0\1\xb5", "video"),
        (b"DKIF\0\0\x20\0VP80", "video"),
        (b"\x1f\x07\x00\xbf\xf8\x78\x78\x78", "video"),  # DV
        (b"\x12\0\x0a\x0b\0\0\0", "video"),  # AV1 without a container
        (b"\0\0\0\1\x27\x64\0\x28", "video"),
        (b"\0\0\0\1\x09\x10\0\0\0\1\x67", "video"),
        (b"\0\0\1\x67\x42\xc0\x1e", "video"),
        (b"\0\0\0\1\x40\1\x0c\1", "video"),
        (PACKET * 6, "video"),
        (b"".join(b"\0\0\0\0" + PACKET for _ in range(6)), "video"),
        (OGG + b"\1\x1e\x80theora", "video"),
        (OGG + b"\1\x1aOVP80\1\1\0", "video"),
        (b"FWS\6\x50\xe6\2\0", "video"),
        (b"CWS\x0a\x50\xe6\2\0", "video"),
        (b"FWS is short for Federal Works Service", "other"),
        (b"RIFF\0\0\0\0AMV LIST", "video"),
        (b"BBCD\0\0\0\0\x19", "video"),  # Dirac
        (b"\x84\x10\xff\xff\xff\xff\x1e\0", "video"),  # RoQ
        (b"YUV4MPEG2 W64 H64 F25:1", "video"),
        (OGG + b"\1\x1e\1vorbis", "audio"),
        (b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42", "audio"),
        (b"RIFF\0\0\1\0WAVEfmt ", "audio"),
        (b"ID3\3\0\0\0\0", "audio"),
        (HEIC, "image"),
        (AVIF, "image"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "image"),
        (b"\xff\x4f\xff\x51\0\x2f", "image"),
        (b"DDS |\0\0\0", "image"),
        (b"qoif\0\0\0\x10", "image"),
        (b"\xff\x0a\x10\x20", "image"),
        (b"\0\0\1\0\1\0\x10\x10", "image"),  # an icon, which begins as MPEG does
        (b"\x93NUMPY\1\0", "crops"),
        (b"PK\3\4\x14\0", "crops"),
        (b"\x00\x05\x16\x07\0\2\0\0", "other"),
        (b"#define WIDTH 3\nint main() {", "other"),
        (b"Python is a language", "other"),
        (b"The free lunch is over, said the file", "other"),
        (b"BM is a company's name in this text", "other"),
        (b"Go!" + b"G" * 5, "other"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "other"),
        (b"", "other"),
    ],
)
def test_a_kind_is_told_by_the_first_bytes(head, kind):
    assert kind_of(head) == kind
    assert kind_of(head, "holiday.dat") == kind


@pytest.mark.parametrize("name", ["a.pdf", "a.palm", "a.eps", "a.h5", "a.tga", "a.wmf"])
def test_what_pillow_only_writes_or_knows_by_name_is_no_image(name):
    assert kind_of(b"%PDF-1.4" if name != "a.tga" else b"", name) == "other"


def test_several_jpeg_images_are_a_video_by_their_name():
    jpeg = encode("JPEG")
    assert kind_of(jpeg * 2, "pi.mjpeg") == kind_of(jpeg, "PI.MJPG") == "video"
    assert kind_of(jpeg * 2, "twice.jpg") == "image"


@pytest.mark.parametrize("form", ["TGA", "PCX", "SGI", "MSP"])
def test_rare_formats_need_their_suffix_too(form):
    image = Image.new("1" if form == "MSP" else "L", (16, 16))
    file = io.BytesIO()
    image.save(file, form)
    assert kind_of(file.getvalue(), f"a.{form.lower()}") == "image"
    assert kind_of(file.getvalue(), "a.bin") == "other"


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"\x00\x05\x16\x07\0\2\0\0", "AppleDouble"),
        (HEIC, "pip install pillow-heif"),
        (encode("JPEG")[:30], "a damaged image, whose header cannot be read (30 bytes)"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "raw image"),
        (b"\xff\x0a\x10", "JPEG XL"),
        (MP4, "a video, not an image"),
        (b"ID3\3", "a sound file"),
    ],
)
def test_what_cannot_be_read_is_named(head, words):
    assert words in describe(head)


@pytest.mark.parametrize(
    ("supported", "words"), [(True, "a damaged image"), (False, "install pillow 11.3 or newer")]
)
def test_an_avif_image_is_damaged_or_needs_a_newer_pillow(monkeypatch, supported, words):
    plugin = types.ModuleType("PIL.AvifImagePlugin")
    plugin.SUPPORTED = supported
    monkeypatch.setitem(sys.modules, "PIL.AvifImagePlugin", plugin)
    assert words in describe(AVIF)
    monkeypatch.setitem(sys.modules, "PIL.AvifImagePlugin", None)
    assert "install pillow 11.3 or newer" in describe(AVIF)


def test_a_description_of_what_is_unknown_is_empty():
    assert describe(b"hello") == ""


def test_avif_with_a_general_brand_is_not_heic():
    assert is_heif(HEIC)
    assert not is_heif(AVIF)
    assert not is_heif(MP4)


@pytest.mark.parametrize(
    ("head", "name", "kind"),
    [
        (b"\0\1\0\x1e\0\1\x12\x22", "film.h261", "video"),
        (b"\0\1\0\x1e\0\1\x12\x22", "film.261", "video"),
        (b"\0\1\0\x1e\0\1\x12\x22", "film.ttf", "other"),
        (b"\0\0\x80\2\x0c\4\x1e\x6a", "film.h263", "video"),
        (b"\0\0\x80\2\x0c\4\x1e\x6a", "film", "other"),
        (b"\0\0\1\x0f\xca\x50", "film.vc1", "video"),
        (b"some text", "film.h261", "other"),
    ],
)
def test_raw_streams_whose_sign_is_short_are_told_with_their_suffix(head, name, kind):
    assert kind_of(head, name) == kind
