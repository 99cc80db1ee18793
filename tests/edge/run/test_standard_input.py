import io

import numpy as np
import pytest
from PIL import Image

from edge.run.standard_input import StandardInput, jpeg_length


def jpeg(size=(40, 30), **options):
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3)).astype(np.uint8)
    Image.fromarray(noise).save(file, "JPEG", **options)
    return file.getvalue()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}])
def test_the_length_of_a_jpeg_image_is_found_in_what_follows(options):
    image = jpeg(**options)
    assert jpeg_length(image) == len(image)
    assert jpeg_length(image + b"\xff\xd8\xff\xe0 and so on") == len(image)
    for cut in (2, 3, 21, 300, len(image) - 2, len(image) - 1):
        assert jpeg_length(image[:cut]) is None


class Trickle(io.BufferedReader):
    """A stream that gives a few bytes at a time, as a pipe may."""

    def __init__(self, data):
        super().__init__(io.BytesIO(data))

    def read1(self, size=-1):
        return super().read(100)


H264 = b"\x00\x00\x00\x01\x67\x42\xc0\x1e\xd9\x00\xa0\x47\xfe\xc8" + bytes(100)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (jpeg(), "image"),
        (jpeg() * 3, "video"),
        (jpeg() + b"\n" * 10, "image"),
        (jpeg().replace(b"JFIF\x00", b"MPF\x00\x00", 1) * 2, "image"),  # a multi-picture photo
        (H264, "video"),
    ],
)
def test_what_is_on_standard_input_is_told_without_losing_a_byte(data, kind):
    stream = StandardInput(Trickle(data))
    assert stream.kind() == kind
    assert stream.kind() == kind
    assert stream.read(5) == data[:5]
    assert stream.read() == data[5:]
    assert stream.read() == b""
