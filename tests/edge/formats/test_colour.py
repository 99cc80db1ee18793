import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from edge.formats.colour import to_srgb
from edge.image import load_grey, load_image, to_grey

# XYZ of the primaries under D50, ICC.1:2010: of sRGB and of Display P3, as Apple's profile has
# them; a row per primary.
SRGB = ((0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
P3 = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
D50 = (0.9642, 1.0, 0.8249)


def fixed(*values):
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def make_profile(space, device, tags):
    """A version 2 display profile, laid out as ICC.1:2001-04 section 6 says."""
    table, data = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, body in tags.items():
        body += bytes(-len(body) % 4)
        table += name + struct.pack(">II", start + len(data), len(body))
        data += body
    header = struct.pack(">I", start + len(data)) + bytes(4) + b"\2\x40\0\0" + device + space
    header += b"XYZ " + bytes(12) + b"acsp" + bytes(28) + fixed(*D50)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


def text(words):
    return b"desc" + bytes(4) + struct.pack(">I", len(words) + 1) + words + bytes(79)


def gamma(value):
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(value * 256))


def rgb_profile(primaries, exponent):
    tags = {b"desc": text(b"made"), b"wtpt": b"XYZ " + bytes(4) + fixed(*D50)}
    for name, primary in zip((b"r", b"g", b"b"), primaries, strict=True):
        tags[name + b"XYZ"] = b"XYZ " + bytes(4) + fixed(*primary)
        tags[name + b"TRC"] = gamma(exponent)
    return make_profile(b"RGB ", b"mntr", tags)


def grey_profile(exponent):
    tags = {b"desc": text(b"made"), b"wtpt": b"XYZ " + bytes(4) + fixed(*D50)}
    return make_profile(b"GRAY", b"mntr", {**tags, b"kTRC": gamma(exponent)})


def encode_srgb(linear):
    """IEC 61966-2-1: linear light 0-1 to the values of sRGB, 0-255."""
    linear = np.clip(linear, 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def expected(colours, primaries, exponent):
    """What a colour in another space is in sRGB, by the matrices of the definition."""
    xyz = (np.asarray(colours) / 255.0) ** exponent @ np.array(primaries)
    return encode_srgb(xyz @ np.linalg.inv(np.array(SRGB)))


@pytest.fixture
def colours(rng):
    return rng.integers(60, 200, (8, 8, 3)).astype(np.uint8)


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
def test_a_wide_gamut_image_has_the_colours_that_the_definition_gives(colours, form):
    file = io.BytesIO()
    options = {"lossless": True, "exact": True} if form == "WEBP" else {}
    Image.fromarray(colours).save(file, form, icc_profile=rgb_profile(P3, 2.2), **options)
    loaded = load_image(file.getvalue())
    assert np.abs(loaded - expected(colours, P3, 2.2)).max() <= 1.5
    assert np.abs(loaded - colours.astype(float)).max() > 10
    np.testing.assert_array_equal(load_grey(file.getvalue()), to_grey(loaded))


def test_linear_grey_is_converted_by_its_profile():
    grey = np.arange(0, 256, 5, dtype=np.uint8)[None]
    image = Image.fromarray(grey)
    image.info["icc_profile"] = grey_profile(1.0)
    loaded = load_image(image)
    assert np.abs(loaded[..., 1] - encode_srgb(grey / 255.0)).max() <= 1.5
    np.testing.assert_array_equal(loaded[..., 0], loaded[..., 2])


def test_the_colours_of_transparent_and_palette_images_are_converted(colours):
    profile = rgb_profile(P3, 2.2)
    clear = Image.fromarray(np.dstack([colours, np.full((8, 8), 255, np.uint8)]))
    palette = Image.new("RGB", (4, 4), (180, 60, 60)).quantize(4)
    for image, values in ((clear, colours), (palette, np.full((4, 4, 3), (180, 60, 60)))):
        image.info["icc_profile"] = profile
        assert np.abs(load_image(image) - expected(values, P3, 2.2)).max() <= 1.5


def test_profiles_that_change_nothing_leave_the_pixels_as_they_are(colours):
    image = Image.fromarray(colours)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, None, b"", b"no profile at all", rgb_profile(P3, 2.2)[:200]):
        assert to_srgb(image, profile) is image


def test_a_profile_of_another_colour_space_is_ignored(colours):
    assert to_srgb(Image.fromarray(colours), grey_profile(1.0)).mode == "RGB"
    np.testing.assert_array_equal(to_srgb(Image.fromarray(colours), grey_profile(1.0)), colours)
    grey = Image.fromarray(colours[..., 0])
    assert to_srgb(grey, rgb_profile(P3, 2.2)) is grey
