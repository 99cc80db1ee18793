import io

import numpy as np
import pytest
from PIL import Image

from edge.errors import SourceError
from edge.formats.image_writer import check_suffix, save_image, to_jpeg
from edge.image import load_image


@pytest.fixture
def colours(rng):
    return rng.integers(0, 256, size=(20, 30, 3)).astype(np.uint8)


def test_an_image_is_written_in_the_format_of_its_suffix_or_the_error_says_why(colours, tmp_path):
    with pytest.raises(SourceError, match="unknown suffix"):
        save_image(colours, tmp_path / "a.xyz")
    with pytest.raises(SourceError, match="cannot write"):
        save_image(colours, tmp_path / "none" / "a.png")
    save_image(colours, tmp_path / "a.png")
    np.testing.assert_array_equal(load_image(tmp_path / "a.png"), colours)


def test_jpeg_bytes_are_the_image_within_the_loss_of_the_format():
    smooth = np.tile(np.linspace(0, 255, 64).astype(np.uint8)[:, None, None], (1, 48, 3))
    data = to_jpeg(smooth)
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size) == ("JPEG", (48, 64))
        assert np.abs(np.asarray(image, int) - smooth).max() <= 4


@pytest.mark.parametrize("name", ["a.JPG", "a.png", "a.webp"])
def test_suffixes_of_known_formats_pass(tmp_path, name):
    check_suffix(tmp_path / name)
