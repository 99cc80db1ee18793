import io
import sys

import numpy as np
import pytest
from PIL import Image

from edge.errors import ImageError
from edge.image import load_image

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


def test_without_pillow_heif_the_message_names_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    path = tmp_path / "a.heic"
    path.write_bytes(HEIC)
    with pytest.raises(ImageError, match=r"a\.heic: a HEIC image.*pip install pillow-heif"):
        load_image(path)


def test_a_heic_image_is_read_without_changing_pillows_formats():
    heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    heif.from_pillow(Image.new("RGB", (64, 48), (200, 100, 50))).save(file, quality=95)
    before = set(Image.OPEN)
    loaded = load_image(file.getvalue())
    assert loaded.shape == (48, 64, 3)
    assert np.abs(loaded.astype(int) - (200, 100, 50)).max() <= 4
    assert set(Image.OPEN) == before


def test_a_damaged_heic_image_is_an_image_error():
    pytest.importorskip("pillow_heif")
    with pytest.raises(ImageError, match="cannot be decoded"):
        load_image(HEIC + bytes(100))
