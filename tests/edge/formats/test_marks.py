import os

import numpy as np
import pytest
from PIL import Image

from edge.formats.image_writer import save_image, to_jpeg
from edge.formats.marks import is_marked


@pytest.fixture
def noise(rng):
    return rng.integers(0, 256, size=(300, 400, 3)).astype(np.uint8)


SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".gif", ".jp2", ".mpo")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_images_that_are_written_are_marked_and_others_not(noise, tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    save_image(noise, path)
    assert is_marked(path)
    Image.fromarray(noise).save(path)
    assert not is_marked(path)


def test_the_bytes_of_a_jpeg_file_are_marked(noise, tmp_path):
    (tmp_path / "a").write_bytes(to_jpeg(noise))
    assert is_marked(tmp_path / "a")


def test_what_cannot_be_read_has_no_mark(tmp_path):
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    for name in ("empty", "pipe", "gone", "nul\0byte"):
        assert not is_marked(tmp_path / name)
