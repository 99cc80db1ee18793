import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from edge import FaceKeypoints
from edge.crop import cut
from edge.errors import ImageError
from edge.formats.reduced_jpeg import ReducedGrey, load_reduced_grey
from edge.geometry.affine import crop_matrix
from edge.image import load_grey, load_image
from tests.conftest import SAMPLE

WIDTH, HEIGHT = 1600, 1200
LARGE, SMALL = [480.0, 360.0, 640.0, 640.0], [600.0, 200.0, 96.0, 96.0]  # squares


def jpeg(image, form="JPEG", **options):
    buffer = io.BytesIO()
    image.save(buffer, form, quality=92, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def large():
    """The sample picture, enlarged."""
    return Image.open(SAMPLE).convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def file(large):
    return jpeg(large)


def test_a_large_file_is_decoded_to_the_smallest_part_that_detection_allows(file):
    grey = load_reduced_grey(file, 200)  # 300 px of 1,200
    assert isinstance(grey, ReducedGrey)
    assert (grey.factor, grey.reduced.shape) == (4, (300, 400))
    means = load_grey(file).reshape(300, 4, 400, 4).mean(axis=(1, 3))
    assert np.abs(grey.reduced - means).mean() < 1
    assert load_reduced_grey(file, 201).factor == 2


@pytest.mark.parametrize(("detect_size", "is_searched"), [(401, True), (200, False)])
def test_a_file_that_is_not_large_is_loaded_as_ever(file, detect_size, is_searched):
    np.testing.assert_array_equal(
        load_reduced_grey(file, detect_size, is_searched), load_grey(file)
    )


def test_crops_are_cut_from_the_smallest_part_that_has_their_pixels(file):
    grey, full = load_reduced_grey(file, 200), load_grey(file)
    for square, factor in ((LARGE, 4), ([400.0, 300.0, 300.0, 300.0], 2), (SMALL, 1)):
        matrix = crop_matrix(square, 96, 10.0)
        level, _ = grey.level(matrix)
        assert level.shape == (HEIGHT // factor, WIDTH // factor)
        small, _ = grey.level(crop_matrix(SMALL, 96))
        assert np.abs(small.astype(int) - full).mean() < 0.1
        difference = cut(*grey.level(matrix), 96).astype(int) - cut(full, matrix, 96)
        assert np.abs(difference).mean() < 1.5


@pytest.mark.parametrize("orientation", range(1, 9))
def test_faces_of_a_reduced_file_are_those_of_its_pixels(large, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    source = jpeg(large, exif=exif)
    detect = FaceKeypoints(precision="fp32", detect_size=200)
    assert isinstance(load_reduced_grey(source, 200), ReducedGrey)
    found, expected = detect(source), detect(load_image(source))
    assert len(found) == len(expected)
    for face, other in zip(found, expected, strict=True):
        side = other.box[3]
        np.testing.assert_allclose(face.box, other.box, atol=0.02 * side)
        distances = np.linalg.norm(face.keypoints - other.keypoints, axis=1)
        assert distances.mean() < 0.01 * side
        assert face.score == pytest.approx(other.score, abs=0.05)


def test_a_file_of_several_pictures_is_its_first(large):
    source = jpeg(large, "MPO", save_all=True, append_images=[large.rotate(180)])
    grey = load_reduced_grey(source, 200)
    assert grey.factor == 4
    reduced = np.asarray(large.convert("L").reduce(4), int)
    assert np.abs(grey.reduced - reduced).mean() < 2


def test_sides_that_the_factor_does_not_divide_are_kept(large):
    grey = load_reduced_grey(jpeg(large.crop((0, 0, 1598, 1198))), 200)
    assert grey.factor == 2


def test_other_files_and_arrays_are_loaded_as_ever(large, file, tmp_path):
    (tmp_path / "a.png").write_bytes(jpeg(large, "PNG"))
    swapped = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for source in (
        tmp_path / "a.png", jpeg(large.convert("CMYK")), jpeg(large.convert("L")), large,
        np.asarray(large),
    ):  # fmt: skip
        np.testing.assert_array_equal(load_reduced_grey(source, 200), load_grey(source))
    assert load_reduced_grey(jpeg(large, icc_profile=swapped), 200).factor == 4  # of no use here


def test_a_damaged_file_is_described_as_ever(file, tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(file[:5000])
    with pytest.raises(ImageError, match=r"a\.jpg: cannot be decoded"):
        load_reduced_grey(path, 200)


def test_a_profile_of_other_colours_is_applied(large, monkeypatch):
    monkeypatch.setattr("edge.formats.colour._transform", lambda *_: None)
    assert load_reduced_grey(jpeg(large, icc_profile=b"any"), 200).factor == 4
    monkeypatch.setattr("edge.formats.colour.is_srgb", lambda _: False)
    assert load_reduced_grey(jpeg(large, icc_profile=b"any"), 200).shape == (HEIGHT, WIDTH)
