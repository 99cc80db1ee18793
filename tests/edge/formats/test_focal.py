import io

import numpy as np
import pytest
from PIL import ExifTags, Image

from edge.formats.focal import read_focal

TAGS = ExifTags.Base


def jpeg(size=(400, 300), orientation=None, **tags):
    exif = Image.Exif()
    if orientation:
        exif[TAGS.Orientation] = orientation
    exif.get_ifd(ExifTags.IFD.Exif).update({TAGS[name]: value for name, value in tags.items()})
    file = io.BytesIO()
    Image.new("RGB", size).save(file, "JPEG", exif=exif)
    return file.getvalue()


def test_the_equivalent_for_film_is_that_of_the_diagonal(tmp_path):
    data = jpeg(FocalLengthIn35mmFilm=26)
    (tmp_path / "photo.jpg").write_bytes(data)
    expected = 26 / 43.2666 * 500
    for source in (data, tmp_path / "photo.jpg", str(tmp_path / "photo.jpg")):
        assert read_focal(source).px == pytest.approx(expected, rel=1e-4)
    with Image.open(io.BytesIO(data)) as image:
        focal = read_focal(image)
    assert focal.px == pytest.approx(expected, rel=1e-4)
    assert focal.deviation_px / focal.px == pytest.approx(0.0415, abs=1e-3)


def test_orientation_and_scale_change_only_the_unit():
    tags = {"FocalLengthIn35mmFilm": 26, "ExifImageWidth": 4000, "ExifImageHeight": 3000}
    turned = read_focal(jpeg((300, 400), orientation=6, **tags))
    assert turned.px == read_focal(jpeg((400, 300), **tags)).px
    assert read_focal(jpeg((800, 600), **tags)).px == pytest.approx(2 * turned.px)


@pytest.mark.parametrize(
    "source",
    [
        jpeg(),
        jpeg(FocalLengthIn35mmFilm=0),
        jpeg(FocalLengthIn35mmFilm=60000),
        jpeg((300, 300), FocalLengthIn35mmFilm=26, ExifImageWidth=400, ExifImageHeight=300),
        jpeg(FocalLengthIn35mmFilm=26)[:100],
        b"no image",
        "none.jpg",
        np.zeros((8, 8, 3), np.uint8),
        io.BytesIO(jpeg(FocalLengthIn35mmFilm=26)),  # which has been read already
    ],
    ids=["none", "unknown", "absurd", "cropped", "cut", "text", "missing", "array", "open"],
)
def test_what_gives_no_focal_length_gives_none(source):
    assert read_focal(source) is None
